#include "server/identity/strict_json.hpp"

#include "server/log.hpp"

#include <set>
#include <utility>
#include <vector>

namespace pulsewire::identity {

using nlohmann::json;

result<json, std::string> parse_strict_object(std::string_view text) {
    // The parser takes a NUL for the end of the text and skips a byte order mark: neither is JSON.
    if (text.find('\0') != std::string_view::npos || text.starts_with("\xEF"))
        return failure{std::string("is no valid JSON")};
    std::vector<std::set<std::string>> names;  // of the objects that are open
    std::string fault;
    const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
        if (static_cast<std::size_t>(depth) >= json_levels_max) {
            fault = "nests more than " + std::to_string(json_levels_max) + " levels deep";
        } else if (event == json::parse_event_t::object_start) {
            names.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            names.pop_back();
        } else if (event == json::parse_event_t::key) {
            auto name = parsed.get<std::string>();
            if (!names.back().insert(name).second)
                fault = "has the member \"" + log::printable(name) + "\" twice";
        }
        return true;
    };
    json object = json::parse(text, look, false);
    if (!fault.empty()) return failure{std::move(fault)};
    if (object.is_discarded()) return failure{std::string("is no valid JSON")};
    if (!object.is_object()) return failure{std::string("is no JSON object")};
    return object;
}

const std::string* string_member(const json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace pulsewire::identity
