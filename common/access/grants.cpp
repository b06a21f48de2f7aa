#include "common/access/grants.hpp"

#include "common/access/pattern.hpp"
#include "common/protocol/json_scan.hpp"

#include <optional>

namespace pulsewire::access {
namespace {

// Of "{pattern: [operation]}".
constexpr int depth_max = 3;

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

std::string known_operations() {
    std::string list;
    for (const std::string_view name : operation_names) list.append(list.empty() ? "" : ", ").append(name);
    return list;
}

}  // namespace

result<operations, std::string> parse_operations(std::string_view json) {
    const failure<std::string> no_list{"must be a list of operations: " + known_operations()};
    json_scan scan(json);
    operations read;
    if (!scan.take('[')) return no_list;
    bool first = true;
    while (!scan.take(']')) {
        std::string_view name;
        if ((!first && !scan.take(',')) || !scan.take_string(name)) return no_list;
        first = false;
        const auto known = operation_named(name);
        if (!known) return failure{quoted(name) + " is no operation; there are " + known_operations()};
        read |= *known;
    }
    if (!scan.skip_space() || !scan.at_end()) return no_list;
    return read;
}

result<grants, std::string> grants::parse(std::string_view json) {
    grants read;
    std::string fault;
    json_scan scan(json);
    const bool complete = for_each_member(scan, depth_max, [&](std::string_view key, std::string_view value) {
        // Some libraries write "\/" for a slash.
        const std::string pattern = unescaped(key);
        if (const auto what = parse_operations(value)) {
            fault = read.add(pattern, *what);
        } else {
            fault = quoted(pattern) + ": " + what.error();
        }
        return fault.empty();
    });
    if (!fault.empty()) return failure{std::move(fault)};
    if (!complete || !scan.skip_space() || !scan.at_end())
        return failure{
            std::string("must be an object of patterns of channels, each with a list of operations")};
    return read;
}

std::string grants::add(std::string_view pattern, operations what) {
    if (const auto fault = fault_of_pattern(pattern); !fault.empty())
        return "the pattern " + quoted(pattern) + " " + std::string(fault);
    if (list_.size() >= grants_max) return "there are more than " + std::to_string(grants_max) + " patterns";
    list_.push_back({std::string(pattern), what});
    return {};
}

operations grants::on(std::string_view channel, std::string_view user) const {
    operations sum;
    for (const grant& g : list_)
        if (matches(g.pattern, channel, user)) sum |= g.what;
    return sum;
}

}  // namespace pulsewire::access
