#include "server/broker/nats/jetstream.hpp"

#include "common/cluster/broker_port.hpp"
#include "server/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace pulsewire::shell::nats {
namespace {

using nlohmann::json;

constexpr int stream_not_found = 10059;
constexpr int stream_name_in_use = 10058;
constexpr auto second_ns = std::chrono::nanoseconds(std::chrono::seconds(1)).count();

json parsed(std::string_view text) {
    json read = json::parse(text, nullptr, false);
    return read.is_object() ? read : json::object();
}

std::string text_of(const json& of, const char* name) {
    const auto found = of.find(name);
    return found != of.end() && found->is_string() ? found->get<std::string>() : "";
}

// A setting that is left out is the server's default.
std::int64_t number_of(const json& of, const char* name, std::int64_t missing) {
    const auto found = of.find(name);
    return found != of.end() && found->is_number_integer() ? found->get<std::int64_t>() : missing;
}

bool flag_of(const json& of, const char* name) {
    const auto found = of.find(name);
    return found != of.end() && found->is_boolean() && found->get<bool>();
}

const json& object_of(const json& of, const char* name) {
    static const json none = json::object();
    const auto found = of.find(name);
    return found != of.end() && found->is_object() ? *found : none;
}

std::string words_of(const json& error) {
    const std::string said = text_of(error, "description");
    return log::printable(said.empty() ? "an error without words" : said);
}

// What is wrong with the settings of a stream that exists, or nothing. Trims are a node's business: a stream
// that forgets by itself would lose what nodes have not read.
std::optional<std::string> fault_of(const json& config, const stream_wish& wish) {
    const auto subjects = config.find("subjects");
    if (subjects == config.end() || *subjects != json::array({wish.subject}))
        return "its subjects must be " + wish.subject + " alone";
    if (text_of(config, "retention") != "limits") return "its retention must be by limits";
    if (text_of(config, "storage") != "file") return "its storage must be file";
    if (number_of(config, "max_age", 0) != 0) return "its max_age must be 0, since nodes trim it";
    const bool is_limited = number_of(config, "max_msgs", -1) > 0 || number_of(config, "max_bytes", -1) > 0 ||
                            number_of(config, "max_msgs_per_subject", -1) > 0;
    if (is_limited && text_of(config, "discard") != "new")
        return "it has a limit, so its discard policy must be new: the oldest records are needed";
    const auto size_max = number_of(config, "max_msg_size", -1);
    if (size_max >= 0 && size_max < static_cast<std::int64_t>(cluster::record_bytes_max))
        return "its max_msg_size must be -1 or at least " + std::to_string(cluster::record_bytes_max);
    if (flag_of(config, "no_ack")) return "its no_ack must be false";
    if (flag_of(config, "deny_purge")) return "its deny_purge must be false, since nodes trim it";
    if (flag_of(config, "sealed")) return "it must not be sealed";
    if (config.contains("mirror") || config.contains("sources"))
        return "it must be nobody's mirror and have no sources";
    if (number_of(config, "num_replicas", 1) < wish.replicas)
        return "it must have " + std::to_string(wish.replicas) + " replicas";
    return std::nullopt;
}

}  // namespace

// --- requests ---

std::string create_stream_request(const stream_wish& wish) {
    return json{
        {"name", wish.name},
        {"subjects", {wish.subject}},
        {"retention", "limits"},
        {"max_consumers", -1},
        {"max_msgs", -1},
        {"max_bytes", -1},
        {"max_age", 0},
        {"max_msgs_per_subject", -1},
        {"max_msg_size", -1},
        {"storage", "file"},
        {"discard", "new"},
        {"num_replicas", wish.replicas},
        // Nobody shall take a record out of the middle.
        {"deny_delete", true}}
        .dump();
}

// In memory, so that it does not survive its server: who follows a log notices that it was started again.
std::string create_consumer_request(const stream_wish& wish, std::string_view consumer, std::uint64_t from) {
    return json{
        {"stream_name", wish.name},
        {"config",
         {{"name", consumer},
          {"deliver_policy", "by_start_sequence"},
          {"opt_start_seq", from},
          {"ack_policy", "none"},
          {"replay_policy", "instant"},
          {"inactive_threshold", 10 * second_ns},
          {"mem_storage", true},
          {"num_replicas", 1}}}}
        .dump();
}

std::string pull_request(std::size_t records, std::size_t bytes, std::chrono::seconds expires) {
    return json{
        {"batch", records},
        {"max_bytes", bytes},
        {"expires", std::chrono::nanoseconds(expires).count()},
        {"idle_heartbeat", second_ns}}
        .dump();
}

std::string purge_request(std::uint64_t before) {
    return json{{"seq", before}}.dump();
}

// --- replies ---

result<std::optional<stream_found>, std::string> read_stream(
    std::string_view reply, const stream_wish& wish
) {
    const json all = parsed(reply);
    if (const json& error = object_of(all, "error"); !error.empty()) {
        if (number_of(error, "err_code", 0) == stream_not_found) return std::optional<stream_found>{};
        return failure("the stream " + wish.name + " is refused (" + words_of(error) + ")");
    }
    const json& config = object_of(all, "config");
    const json& state = object_of(all, "state");
    if (config.empty() || state.empty())
        return failure("the answer about the stream " + wish.name + " cannot be read");
    if (const auto fault = fault_of(config, wish)) {
        return failure(
            "the stream " + wish.name + " has settings that lose records: " + *fault +
            ". Change it, or delete it while it is empty: it is made anew"
        );
    }
    stream_found found;
    found.is_empty = number_of(state, "messages", 0) == 0;
    found.last = static_cast<std::uint64_t>(number_of(state, "last_seq", 0));
    found.first =
        found.is_empty ? found.last + 1 : static_cast<std::uint64_t>(number_of(state, "first_seq", 1));
    found.created = text_of(all, "created");
    found.is_clustered = !text_of(object_of(all, "cluster"), "name").empty();
    return std::optional<stream_found>{std::move(found)};
}

bool says_stream_exists(std::string_view reply) {
    return number_of(object_of(parsed(reply), "error"), "err_code", 0) == stream_name_in_use;
}

std::optional<std::string> error_of(std::string_view reply) {
    const json all = parsed(reply);
    if (all.empty()) return "an answer that cannot be read";
    const json& error = object_of(all, "error");
    if (error.empty()) return std::nullopt;
    return words_of(error);
}

result<std::uint64_t, std::string> read_appended(std::string_view reply) {
    const json all = parsed(reply);
    if (const json& error = object_of(all, "error"); !error.empty()) return failure(words_of(error));
    const auto sequence = number_of(all, "seq", 0);
    if (sequence <= 0) return failure(std::string("an answer that cannot be read"));
    return static_cast<std::uint64_t>(sequence);
}

// $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<number>.<time>.<pending>; of a server with domains
// there are <domain>.<account> before the stream, and one more at the end.
std::optional<record_place> place_of(std::string_view reply_subject) {
    constexpr std::string_view begin = "$JS.ACK.";
    constexpr std::size_t tokens_short = 7;
    constexpr std::size_t tokens_long = 9;
    if (!reply_subject.starts_with(begin)) return std::nullopt;
    std::array<std::string_view, tokens_long + 1> tokens;
    std::size_t count = 0;
    for (std::size_t at = begin.size(); at <= reply_subject.size() && count < tokens.size();) {
        const auto end = std::min(reply_subject.find('.', at), reply_subject.size());
        tokens[count++] = reply_subject.substr(at, end - at);
        at = end + 1;
    }
    if (count < tokens_short) return std::nullopt;
    const std::size_t skipped = count >= tokens_long ? 2 : 0;
    record_place found{.consumer = tokens[skipped + 1], .time = tokens[skipped + 5]};
    const std::string_view number = tokens[skipped + 3];
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), found.sequence);
    if (error != std::errc{} || end != number.data() + number.size() || found.sequence == 0)
        return std::nullopt;
    return found;
}

}  // namespace pulsewire::shell::nats
