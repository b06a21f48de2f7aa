#pragma once

// Owners of what librdkafka gives, and sentences of what it says.

#include "server/base/freed_by.hpp"

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::shell::kafka {

// Topics and queues are destroyed before the handle that they are of.
using handle_ptr = std::unique_ptr<rd_kafka_t, freed_by<rd_kafka_destroy>>;
using conf_ptr = std::unique_ptr<rd_kafka_conf_t, freed_by<rd_kafka_conf_destroy>>;
using topic_ptr = std::unique_ptr<rd_kafka_topic_t, freed_by<rd_kafka_topic_destroy>>;
using queue_ptr = std::unique_ptr<rd_kafka_queue_t, freed_by<rd_kafka_queue_destroy>>;
using event_ptr = std::unique_ptr<rd_kafka_event_t, freed_by<rd_kafka_event_destroy>>;
using admin_options_ptr = std::unique_ptr<rd_kafka_AdminOptions_t, freed_by<rd_kafka_AdminOptions_destroy>>;
using new_topic_ptr = std::unique_ptr<rd_kafka_NewTopic_t, freed_by<rd_kafka_NewTopic_destroy>>;
using config_resource_ptr =
    std::unique_ptr<rd_kafka_ConfigResource_t, freed_by<rd_kafka_ConfigResource_destroy>>;
using delete_records_ptr =
    std::unique_ptr<rd_kafka_DeleteRecords_t, freed_by<rd_kafka_DeleteRecords_destroy>>;
using partition_list_ptr =
    std::unique_ptr<rd_kafka_topic_partition_list_t, freed_by<rd_kafka_topic_partition_list_destroy>>;
using metadata_ptr = std::unique_ptr<const rd_kafka_metadata_t, freed_by<rd_kafka_metadata_destroy>>;

// What the library or a broker says as a part of a line of the log: at most 300 bytes, '?' for what a log
// cannot show.
std::string said(std::string_view text);
// The same of an error without words of its own, with what it means here where that is known.
std::string meaning_of(rd_kafka_resp_err_t error);
// Whether an error is only that a leader is new, or not there yet.
bool passes_by_itself(rd_kafka_resp_err_t error);

}  // namespace pulsewire::shell::kafka
