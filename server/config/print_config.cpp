#include "server/config/print_config.hpp"

#include "common/schema/types.hpp"
#include "server/config/settings.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pulsewire::shell {
namespace {

using nlohmann::json;

// The column of the comments.
constexpr std::size_t value_width = 48;

struct to_json {
    json operator()(const std::uint16_t* n) const { return *n; }
    json operator()(const std::uint32_t* n) const { return *n; }
    json operator()(const std::uint64_t* n) const { return *n; }
    json operator()(const std::string* t) const { return *t; }
    json operator()(const bool* f) const { return *f; }
    json operator()(const std::vector<std::string>* list) const { return *list; }
    json operator()(const one_of_names& one) const { return std::string(one.names[*one.value]); }
};

// Bytes of a path that are no UTF-8 are replaced.
std::string text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string line(std::string_view name, const std::string& value, bool last, std::string_view from) {
    std::string text = "    " + text_of(std::string(name)) + ": " + value + (last ? "" : ",");
    text.resize(std::max(text.size() + 2, value_width), ' ');
    return text.append("// ").append(from).append("\n");
}

json names_of(operations some) {
    json names = json::array();
    for (const std::string_view name : operation_names)
        if (some.has(*operation_named(name))) names.push_back(std::string(name));
    return names;
}

std::string options_of(namespace_options& options) {
    json all = json::object();
    for (const setting& s : settings_of(options)) all[std::string(s.name)] = std::visit(to_json(), s.value);
    if (options.types != nullptr)
        for (const auto& [type, one] : options.types->all())
            all["types"][type] = one.file.empty() ? json::parse(one.text) : json(one.file);
    if (const access_rules& rules = options.allow; options.allow_is_set)
        all["allow"] = {
            {"anonymous", names_of(rules.anonymous)},
            {"users", names_of(rules.users)},
            {"owner", names_of(rules.owner)}};
    if (!options.authorize.empty()) all["authorize"] = names_of(options.authorize);
    return text_of(all);
}

template <class Part>
std::string without_secrets(Part& part) {
    json all = json::object();
    for (const setting& s : settings_of(part))
        if (!is_secret(s)) all[std::string(s.name)] = std::visit(to_json(), s.value);
    return text_of(all);
}

// A list of objects; nothing where it is empty.
template <class Part>
std::string list_of(std::vector<Part>& parts, const std::string& name, const std::string& from) {
    if (parts.empty()) return {};
    std::string head = "    \"" + name + "\": [";
    head.resize(std::max(head.size() + 2, value_width - 3), ' ');
    std::string text = head.append("// ").append(from).append(", without secrets\n");
    std::size_t left = parts.size();
    for (Part& part : parts) text += "        " + without_secrets(part) + (--left == 0 ? "\n" : ",\n");
    return text + "    ],\n";
}

}  // namespace

std::string print_config(config c, const setting_sources& from) {
    const auto source = [&](std::string_view name) {
        const auto found = from.find(name);
        return found == from.end() ? std::string("default") : found->second;
    };
    std::string text = "{\n";
    for (const setting& s : settings_of(c)) {
        if (is_secret(s) && !shell::text_of(s).empty())
            text += "    // \"" + std::string(s.name) + "\" is set and not shown: " + source(s.name) + "\n";
        else
            text += line(s.name, text_of(std::visit(to_json(), s.value)), false, source(s.name));
    }
    if (!c.api_keys.empty())
        text += "    // \"api_keys\" has " + std::to_string(c.api_keys.size()) +
                (c.api_keys.size() == 1 ? " key" : " keys") + ", not shown: " + source("api_keys") + "\n";
    text += list_of(c.issuers, "issuers", source("issuers"));
    text += list_of(c.consume, "consume", source("consume"));
    text += list_of(c.forward, "forward", source("forward"));
    text += line(
        "default_namespace", options_of(c.default_namespace), c.namespaces.empty(),
        source("default_namespace")
    );
    if (!c.namespaces.empty()) {
        text += "    \"namespaces\": {                          // " + source("namespaces") + "\n";
        std::size_t left = c.namespaces.size();
        for (auto& [name, options] : c.namespaces)
            text += "        " + text_of(name) + ": " + options_of(options) + (--left == 0 ? "\n" : ",\n");
        text += "    }\n";
    }
    return text + "}\n";
}

}  // namespace pulsewire::shell
