#include "server/feed/text_template.hpp"

#include "common/access/principal.hpp"
#include "common/protocol/json_scan.hpp"
#include "server/feed/json_part.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::feed {
namespace {

constexpr std::string_view header_hole = "header:";

std::string in_braces(std::string_view hole) {
    return std::string("{").append(log::printable(hole)).append("}");
}

// Scalars alone: the text of an object would depend on how its writer happened to space it.
result<std::string, std::string> text_of_scalar(std::string_view json, std::string_view pointer) {
    switch (json.front()) {
        case '"':
            return unescaped(json.substr(1, json.size() - 2));
        case '{':
        case '[':
        case 'n':
            return failure(in_braces(pointer) + " is neither text nor a number in the record");
        default:
            return std::string(json);
    }
}

}  // namespace

result<text_template, std::string> text_template::read(std::string_view text) {
    text_template made;
    while (!text.empty()) {
        const std::size_t open = std::min(text.find('{'), text.size());
        if (text.substr(0, open).find('}') != text.npos)
            return failure(std::string("has a '}' without its '{'"));
        if (open != 0) made.pieces_.push_back({kind::text, std::string(text.substr(0, open))});
        text.remove_prefix(open);
        if (text.empty()) break;
        const std::size_t close = text.find('}');
        if (close == text.npos) return failure(std::string("has a '{' without its '}'"));
        const std::string_view hole = text.substr(1, close - 1);
        text.remove_prefix(close + 1);
        if (hole == "key") {
            made.pieces_.push_back({kind::key, {}});
        } else if (hole.starts_with(header_hole) && hole.size() > header_hole.size()) {
            made.pieces_.push_back({kind::header, std::string(hole.substr(header_hole.size()))});
        } else if (hole.starts_with('/') && is_json_pointer(hole)) {
            made.pieces_.push_back({kind::pointer, std::string(hole)});
        } else {
            return failure(
                std::string("has ") + in_braces(hole) +
                ", which is none of {key}, {header:name} and {/json/pointer}"
            );
        }
    }
    return made;
}

bool text_template::has_holes() const {
    return std::any_of(pieces_.begin(), pieces_.end(), [](const piece& one) {
        return one.what != kind::text;
    });
}

result<std::string, std::string> text_template::value_of(const piece& hole, const record& from) {
    if (hole.what == kind::key) {
        if (from.key) return *from.key;
        return failure(std::string("the record has no key"));
    }
    if (hole.what == kind::header) {
        const auto found = std::find_if(from.headers.begin(), from.headers.end(), [&](const auto& one) {
            return one.first == hole.text;
        });
        if (found != from.headers.end()) return found->second;
        return failure("the record has no header " + log::printable(hole.text));
    }
    const auto part = part_of(from.value, hole.text);
    if (!part) return failure("the record has nothing at " + log::printable(hole.text));
    return text_of_scalar(*part, hole.text);
}

result<std::string, std::string> text_template::fill(const record& from, values how) const {
    std::string text;
    for (const piece& one : pieces_) {
        if (one.what == kind::text) {
            text += one.text;
            continue;
        }
        auto value = value_of(one, from);
        if (!value) return failure(value.error());
        if (value->empty()) return failure(std::string("a value that a name is made of is empty"));
        text += how == values::as_part_of_channel ? access::wire_name_of(*value) : *value;
    }
    return text;
}

}  // namespace pulsewire::shell::feed
