#include "server/broker/kafka/topic_opening.hpp"

#include "server/log.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <thread>
#include <utility>

namespace pulsewire::shell::kafka {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// How long one question may wait before it is asked whether that is still wanted.
constexpr std::chrono::milliseconds slice{200};
constexpr std::chrono::milliseconds look_pause{50};
constexpr std::chrono::milliseconds leaders_time_max{2'000};

class topic_opening {
public:
    topic_opening(
        rd_kafka_t* client, const topic_request& wanted, clock::time_point end,
        const std::function<bool()>& goes_on
    )
        : client_(client),
          wanted_(wanted),
          end_(end),
          goes_on_(goes_on),
          topic_(rd_kafka_topic_new(client, wanted.name.c_str(), nullptr)),
          answers_(rd_kafka_queue_new(client)) {}

    result<opened_topic, std::string> run() {
        if (auto fault = find_or_make(); !fault) return failure(fault.error());
        if (auto fault = read_settings(); !fault) return failure(fault.error());
        if (const auto fault = fault_of(facts_, wanted_.needs); !fault.empty())
            return failure(sentence(fault));
        opened_topic opened{facts_.partitions, std::nullopt};
        if (keeps_what_it_shows(facts_)) opened.incarnation = incarnation();
        return opened;
    }

private:
    struct nothing {};
    using done = result<nothing, std::string>;

    std::string sentence(std::string_view rest) const {
        return std::string("the topic ").append(wanted_.name).append(rest);
    }
    failure<std::string> cannot(std::string_view what, std::string_view why) const {
        return failure(sentence(" ").append(what).append(": ").append(why));
    }

    bool may_wait() const { return clock::now() < end_ && goes_on_(); }
    int remaining_ms() const {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - clock::now());
        return static_cast<int>(std::max(left, 1ms).count());
    }

    // A topic that this or another node has just made has no leaders for a moment. Later a partition without
    // one is that partition's trouble.
    done find_or_make() {
        const auto leaders_end = clock::now() + leaders_time_max;
        bool is_made = false;
        while (may_wait()) {
            const auto error = look();
            if (error == RD_KAFKA_RESP_ERR_NO_ERROR && (has_leaders_ || clock::now() > leaders_end))
                return nothing{};
            if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
                return cannot("may not be looked at", meaning_of(error));
            if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && !is_made) {
                if (auto made = make(); !made) return made;
                is_made = true;
            }
            std::this_thread::sleep_for(look_pause);
        }
        return failure(std::string());
    }

    rd_kafka_resp_err_t look() {
        const rd_kafka_metadata_t* read = nullptr;
        const auto error =
            rd_kafka_metadata(client_, 0, topic_.get(), &read, static_cast<int>(slice.count()));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
        const metadata_ptr metadata(read);
        facts_.brokers = static_cast<std::uint32_t>(metadata->broker_cnt);
        if (metadata->topic_cnt != 1) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        const auto& topic = metadata->topics[0];
        const std::span partitions(topic.partitions, static_cast<std::size_t>(topic.partition_cnt));
        facts_.partitions = static_cast<std::uint32_t>(partitions.size());
        facts_.replicas = std::numeric_limits<std::uint32_t>::max();
        has_leaders_ = true;
        for (const auto& each : partitions) {
            facts_.replicas = std::min(facts_.replicas, static_cast<std::uint32_t>(each.replica_cnt));
            has_leaders_ = has_leaders_ && each.leader >= 0;
        }
        return topic.err;
    }

    // The result of what was asked for with answers_; null when none came in time.
    event_ptr answer() const {
        while (may_wait())
            if (event_ptr event{rd_kafka_queue_poll(answers_.get(), static_cast<int>(slice.count()))})
                return event;
        return nullptr;
    }

    admin_options_ptr patience(rd_kafka_admin_op_t of) const {
        admin_options_ptr options(rd_kafka_AdminOptions_new(client_, of));
        std::array<char, 128> ignored;
        rd_kafka_AdminOptions_set_request_timeout(
            options.get(), remaining_ms(), ignored.data(), ignored.size()
        );
        return options;
    }

    done make() {
        const auto replicas = replicas_of_new_topic(wanted_.needs, facts_.brokers);
        std::array<char, 256> why{};
        const new_topic_ptr made(rd_kafka_NewTopic_new(
            wanted_.name.c_str(), static_cast<int>(wanted_.partitions), static_cast<int>(replicas),
            why.data(), why.size()
        ));
        if (!made) return cannot("cannot be made", said(why.data()));
        for (const auto& [name, value] : settings_of_new_topic(wanted_.needs, replicas))
            rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
        const auto options = patience(RD_KAFKA_ADMIN_OP_CREATETOPICS);
        rd_kafka_NewTopic_t* one = made.get();
        rd_kafka_CreateTopics(client_, &one, 1, options.get(), answers_.get());
        const auto event = answer();
        if (!event) return failure(std::string());
        if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return cannot("cannot be made", said(rd_kafka_event_error_string(event.get())));
        std::size_t count = 0;
        const auto* const* const topics =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
        const auto error = count == 1 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
        if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
            error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
            return cannot("is not there, and cannot be made", "this user lacks the right Create");
        // Another node has made it at the same time.
        if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return nothing{};
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const char* const words = count == 1 ? rd_kafka_topic_result_error_string(topics[0]) : nullptr;
            return cannot("cannot be made", words != nullptr ? said(words) : meaning_of(error));
        }
        log::info(
            "the topic ", wanted_.name, " was made in Kafka: ", wanted_.partitions, " partitions, ", replicas,
            replicas == 1 ? " replica" : " replicas"
        );
        return nothing{};
    }

    done read_settings() {
        const config_resource_ptr topic(
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, wanted_.name.c_str())
        );
        const auto options = patience(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
        rd_kafka_ConfigResource_t* one = topic.get();
        rd_kafka_DescribeConfigs(client_, &one, 1, options.get(), answers_.get());
        const auto event = answer();
        if (!event) return failure(std::string());
        if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return cannot("does not tell its settings", said(rd_kafka_event_error_string(event.get())));
        std::size_t count = 0;
        const auto* const* const resources = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event.get()), &count
        );
        const auto error =
            count == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
            return cannot("does not tell its settings", meaning_of(error));
        const auto* const* const entries = rd_kafka_ConfigResource_configs(resources[0], &count);
        for (const auto* const each : std::span(entries, count)) {
            const char* const value = rd_kafka_ConfigEntry_value(each);
            facts_.settings[rd_kafka_ConfigEntry_name(each)] = value != nullptr ? value : "";
        }
        return nothing{};
    }

    // It stays the same as long as the cluster does: that a topic was made anew shows in its records alone.
    std::optional<std::string> incarnation() const {
        char* const id = rd_kafka_clusterid(client_, remaining_ms());
        if (id == nullptr) return std::nullopt;
        std::string text = "kafka " + said(id);
        rd_kafka_mem_free(client_, id);
        return text;
    }

    rd_kafka_t* client_;
    const topic_request& wanted_;
    clock::time_point end_;
    const std::function<bool()>& goes_on_;
    topic_ptr topic_;
    queue_ptr answers_;
    topic_facts facts_;
    bool has_leaders_ = false;
};

}  // namespace

result<opened_topic, std::string> open_topic(
    rd_kafka_t* client, const topic_request& wanted, clock::time_point end,
    const std::function<bool()>& goes_on
) {
    return topic_opening(client, wanted, end, goes_on).run();
}

}  // namespace pulsewire::shell::kafka
