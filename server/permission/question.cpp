#include "server/permission/question.hpp"

#include "server/base/curl.hpp"

#include <nlohmann/json.hpp>

namespace pulsewire::permission {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t reason_bytes_max = 200;

}  // namespace

std::string text_of(const hub::authorize& asked) {
    json question;
    question["operations"] = json::array();
    for (const std::string_view name : operation_names)
        if (asked.wants.has(*operation_named(name))) question["operations"].push_back(name);
    question["channel"] = asked.channel;
    question["session"] = asked.session;
    if (!asked.user.empty()) question["user"] = asked.user;
    if (!asked.type.empty()) question["type"] = asked.type;
    return question.dump();
}

std::optional<word> read_word(std::string_view body) {
    const json answer = json::parse(body, nullptr, false);
    if (!answer.is_object()) return std::nullopt;
    const auto allow = answer.find("allow");
    if (allow == answer.end() || !allow->is_boolean()) return std::nullopt;
    word given{allow->get<bool>(), {}, 0};
    if (const auto reason = answer.find("reason"); reason != answer.end()) {
        if (!reason->is_string()) return std::nullopt;
        given.reason = reason->get<std::string>();
        if (given.reason.size() > reason_bytes_max) return std::nullopt;
    }
    if (const auto cache = answer.find("cache_s"); cache != answer.end()) {
        if (!cache->is_number_unsigned()) return std::nullopt;
        const auto seconds = cache->get<std::uint64_t>();
        if (seconds > static_cast<std::uint64_t>(cache_s_max)) return std::nullopt;
        given.cache_ms = static_cast<std::int64_t>(seconds) * 1'000;
    }
    return given;
}

std::string key_of(const hub::authorize& asked) {
    std::string key;
    // Each piece with its length, so that no two questions run into the same text.
    const auto add = [&](std::string_view piece) {
        key.append(std::to_string(piece.size())).append(":").append(piece);
    };
    for (const std::string_view name : operation_names)
        key += asked.wants.has(*operation_named(name)) ? '1' : '0';
    add(asked.user);
    add(asked.user.empty() ? asked.session : std::string());
    add(asked.channel);
    add(asked.type);
    return key;
}

std::string fault_of_address(const std::string& url) {
    const std::string name = shell::curl::address(url).part(CURLUPART_SCHEME);
    if (name == "https" || name == "http") return {};
    return "must be an http or https address, for example http://127.0.0.1:3000/may";
}

}  // namespace pulsewire::permission
