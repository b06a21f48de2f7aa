#include "server/broker/kafka/topic.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

namespace pulsewire::shell::kafka {
namespace {

using namespace std::chrono_literals;

// A quiet node writes about 100 bytes a second to a log, so a checkpoint may be a week old before the next
// one is due (64 MB), and two of them are needed.
constexpr std::int64_t retention_ms_min = std::chrono::milliseconds(30 * 24h).count();
// Three intervals between checkpoints and two images, where an image has 200 MB.
constexpr std::int64_t retention_bytes_min = std::int64_t{1} << 30;
// The frame of a batch, with room for what later formats add.
constexpr std::int64_t batch_head_bytes = 1'024;
// A part of the log that was trimmed leaves the disk when its whole segment was.
constexpr std::int64_t segment_bytes = std::int64_t{64} << 20;

constexpr std::uint32_t usual_replicas = 3;

std::string setting_of(const topic_facts& topic, const std::string& name) {
    const auto found = topic.settings.find(name);
    return found == topic.settings.end() ? "" : found->second;
}

// -1 for what is no number, which is also Kafka's word for "no limit".
std::int64_t number_of(const topic_facts& topic, const std::string& name) {
    const std::string text = setting_of(topic, name);
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? number : -1;
}

std::uint32_t in_sync_min(const topic_needs& needs, std::uint32_t replicas) {
    return std::max(replicas > 1 ? 2U : 1U, needs.wait_replicas + 1);
}

std::string set_to(
    const topic_facts& topic, const std::string& name, std::string_view why, std::string_view value
) {
    return std::string(" has ")
        .append(name)
        .append("=")
        .append(setting_of(topic, name))
        .append(why)
        .append(": set it to ")
        .append(value);
}

std::string fault_of_replicas(const topic_facts& topic, const topic_needs& needs) {
    const auto wanted = replicas_of_new_topic(needs, topic.brokers);
    if (topic.replicas < wanted) {
        return " has " + std::to_string(topic.replicas) + " of the " + std::to_string(wanted) +
               " replicas that it should have: make it anew or give it more, or write replicas=" +
               std::to_string(topic.replicas) + " into the address";
    }
    const auto in_sync = number_of(topic, "min.insync.replicas");
    const std::int64_t least = in_sync_min(needs, topic.replicas);
    if (least > topic.replicas) {
        return " has " + std::to_string(topic.replicas) + " replicas, and an append shall wait for " +
               std::to_string(least) + ": give it more, or wait for fewer";
    }
    if (in_sync < least) {
        return set_to(
            topic, "min.insync.replicas", ", so a broker that fails takes along what was answered",
            std::to_string(least)
        );
    }
    if (in_sync > topic.replicas) {
        return set_to(
            topic, "min.insync.replicas", ", more than it has replicas, so it takes no append",
            std::to_string(least)
        );
    }
    if (topic.replicas > 1 && setting_of(topic, "unclean.leader.election.enable") != "false") {
        return set_to(
            topic, "unclean.leader.election.enable",
            ", so a broker without the last records may become its leader", "false"
        );
    }
    return {};
}

}  // namespace

std::uint32_t replicas_of_new_topic(const topic_needs& needs, std::uint32_t brokers) {
    return needs.replicas > 0 ? needs.replicas : std::clamp(brokers, 1U, usual_replicas);
}

std::vector<std::pair<std::string, std::string>> settings_of_new_topic(
    const topic_needs& needs, std::uint32_t replicas
) {
    return {
        {"cleanup.policy", "delete"},
        // What nobody needs any more is removed by trims.
        {"retention.ms", "-1"},
        {"retention.bytes", "-1"},
        {"segment.bytes", std::to_string(segment_bytes)},
        {"min.insync.replicas", std::to_string(std::min(in_sync_min(needs, replicas), replicas))},
        {"unclean.leader.election.enable", "false"},
        // A node whose clock is wrong must not be refused.
        {"message.timestamp.type", "LogAppendTime"},
    };
}

std::string fault_of(const topic_facts& topic, const topic_needs& needs) {
    if (auto fault = fault_of_replicas(topic, needs); !fault.empty()) return fault;
    if (setting_of(topic, "cleanup.policy") != "delete") {
        return set_to(topic, "cleanup.policy", ", which removes records from the middle of a log", "delete");
    }
    const auto kept_ms = number_of(topic, "retention.ms");
    if (kept_ms >= 0 && kept_ms < retention_ms_min) {
        return set_to(
            topic, "retention.ms", ", so a checkpoint may be gone before there is another",
            "-1 (trims remove what is needed no more) or to 30 days at least"
        );
    }
    const auto kept_bytes = number_of(topic, "retention.bytes");
    if (kept_bytes >= 0 && kept_bytes < retention_bytes_min) {
        return set_to(
            topic, "retention.bytes", ", so a checkpoint may be gone before there is another",
            "-1 (trims remove what is needed no more) or to 1 GiB at least"
        );
    }
    constexpr auto batch_min = static_cast<std::int64_t>(batch_bytes_max) + batch_head_bytes;
    if (number_of(topic, "max.message.bytes") < batch_min) {
        return set_to(
            topic, "max.message.bytes", ", and batches of records are larger", std::to_string(batch_min)
        );
    }
    return {};
}

bool keeps_what_it_shows(const topic_facts& topic) {
    return topic.replicas > 1;
}

}  // namespace pulsewire::shell::kafka
