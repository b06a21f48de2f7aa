#pragma once

// The wishes of a shard's partitions to their shell, in order.

#include "common/cluster/broker_port.hpp"
#include "common/cluster/notes.hpp"
#include "common/cluster/record.hpp"
#include "common/exchange/news.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::cluster {

struct log_output {
    std::vector<to_broker> broker;
    std::vector<order> orders;  // another node's, for this one
    // Lines for a stream of this node, with the node that waits for the outcome; and outcomes.
    struct stream_post {
        process_id from = 0;
        post_note what;
    };
    std::vector<stream_post> posts;
    std::vector<posted_note> posted;
    std::vector<hub::channel_news> news;  // of channels that are forwarded
    // Where something is forwarded: of which partitions this node forwards the channels from now on, and of
    // which no more. One that is told again is to be begun again.
    struct turn {
        partition_index partition = 0;
        bool is_ours = false;
    };
    std::vector<turn> turns;
    std::vector<std::string> warnings;  // sentences for the operator
    std::vector<std::string> notes;     // ... about what is well
};

// The text of broker_unavailable.
inline constexpr std::string_view no_broker = "the server does not reach its broker; try again";

}  // namespace pulsewire::cluster
