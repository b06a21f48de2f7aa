#include "common/schema/value.hpp"

#include "common/protocol/json_readable.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/schema/number.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace pulsewire::schema {
namespace {

// Deeper than any depth that is passed to read_value(), for what has been read already.
constexpr int any_depth = 64;

// Builds the tree of a text that is valid JSON.
class builder {
public:
    explicit builder(std::string_view json) : json_(json), scan_(json) {}

    bool read(value& into) {
        scan_.skip_space();
        into.is = kind_of(json_[scan_.at()]);
        if (into.is == kind::object) return object(into);
        if (into.is == kind::array) return array(into);
        std::string_view slice;
        (void)scan_.take_value(slice, 0);
        into.truth = slice == "true";
        if (into.is == kind::number) into.text = slice;
        if (into.is == kind::string) into.text = unescaped(slice.substr(1, slice.size() - 2));
        return true;
    }

    payload_error& error() { return error_; }

private:
    bool object(value& into) {
        (void)scan_.take('{');
        if (scan_.take('}')) return true;
        do {
            std::string_view key;
            (void)scan_.take_string(key);
            (void)scan_.take(':');
            into.members.push_back({unescaped(key), {}});
            value::member& last = into.members.back();
            if (!read(last.content)) {
                within(error_, last.name);
                return false;
            }
        } while (scan_.take(','));
        (void)scan_.take('}');
        return has_own_names(into);
    }

    bool array(value& into) {
        (void)scan_.take('[');
        if (scan_.take(']')) return true;
        do {
            into.elements.emplace_back();
            if (!read(into.elements.back())) {
                within(error_, into.elements.size() - 1);
                return false;
            }
        } while (scan_.take(','));
        return scan_.take(']');
    }

    // Readers differ about which of two members of one name counts.
    bool has_own_names(const value& object) {
        std::vector<std::string_view> names;
        for (const value::member& one : object.members) names.push_back(one.name);
        std::sort(names.begin(), names.end());
        const auto twice = std::adjacent_find(names.begin(), names.end());
        if (twice == names.end()) return true;
        refuse(error_, "one member of this name", "a second one");
        within(error_, *twice);
        return false;
    }

    std::string_view json_;
    json_scan scan_;
    payload_error error_;
};

bool equals_array(std::string_view json, const value& v) {
    json_scan scan(json);
    (void)scan.take('[');
    for (std::size_t i = 0; i < v.elements.size(); ++i) {
        std::string_view element;
        if (i != 0 && !scan.take(',')) return false;
        if (scan.peek(']') || !scan.take_value(element, any_depth) || !equals(element, v.elements[i]))
            return false;
    }
    return scan.take(']');
}

bool equals_object(std::string_view json, const value& v) {
    json_scan scan(json);
    std::vector<bool> seen(v.members.size());
    std::size_t count = 0;
    bool same = true;
    for_each_member(scan, any_depth, [&](std::string_view key, std::string_view content) {
        const auto named = std::find_if(v.members.begin(), v.members.end(), [&](const value::member& one) {
            return is_text(key, one.name);
        });
        const auto at = static_cast<std::size_t>(named - v.members.begin());
        same = named != v.members.end() && !seen[at] && equals(content, named->content);
        if (same) seen[at] = true;
        ++count;
        return same;
    });
    return same && count == v.members.size();
}

}  // namespace

std::string_view name_of(kind k) {
    static constexpr std::string_view names[] = {"null", "boolean", "number", "string", "array", "object"};
    return names[static_cast<std::size_t>(k)];
}

kind kind_of(char first) {
    switch (first) {
        case '{':
            return kind::object;
        case '[':
            return kind::array;
        case '"':
            return kind::string;
        case 't':
        case 'f':
            return kind::boolean;
        case 'n':
            return kind::null;
        default:
            return kind::number;
    }
}

result<value, payload_error> read_value(std::string_view json, int depth_max) {
    json_scan scan(json);
    std::string_view slice;
    if (!scan.take_value(slice, depth_max) || !scan.skip_space() || !scan.at_end()) {
        if (scan.too_deep())
            return failure{payload_error{
                "", "", "JSON at most " + std::to_string(depth_max) + " levels deep", "a deeper level"}};
        return failure{
            payload_error{"", "", "JSON", "malformed JSON at byte " + std::to_string(scan.at() + 1)}};
    }
    if (scan.has_unreadable())
        if (auto why = first_unreadable(slice))
            return failure{payload_error{
                "", std::move(why->pointer), "JSON that every reader takes", std::move(why->what)}};
    value root;
    builder all(slice);
    if (!all.read(root)) return failure{std::move(all.error())};
    return root;
}

void append_string(std::string& out, std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00";
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[c & 0xf];
        } else {
            out += c;
        }
    }
    out += '"';
}

void append_value(std::string& out, const value& v) {
    std::string_view between;
    switch (v.is) {
        case kind::null:
            out += "null";
            break;
        case kind::boolean:
            out += v.truth ? "true" : "false";
            break;
        case kind::number:
            out += v.text;
            break;
        case kind::string:
            append_string(out, v.text);
            break;
        case kind::array:
            out += '[';
            for (const value& one : v.elements) {
                out += std::exchange(between, ",");
                append_value(out, one);
            }
            out += ']';
            break;
        case kind::object:
            out += '{';
            for (const value::member& one : v.members) {
                out += std::exchange(between, ",");
                append_string(out, one.name);
                out += ':';
                append_value(out, one.content);
            }
            out += '}';
            break;
    }
}

bool is_text(std::string_view inner, std::string_view plain) {
    // The text with escapes is never shorter than the one without.
    if (inner.size() == plain.size()) return inner == plain && inner.find('\\') == std::string_view::npos;
    return inner.size() > plain.size() && inner.find('\\') != std::string_view::npos &&
           unescaped(inner) == plain;
}

bool equals(std::string_view json, const value& v) {
    if (kind_of(json.front()) != v.is) return false;
    switch (v.is) {
        case kind::null:
            return true;
        case kind::boolean:
            return (json.front() == 't') == v.truth;
        case kind::number:
            return compare_numbers(json, v.text) == 0;
        case kind::string:
            return is_text(json.substr(1, json.size() - 2), v.text);
        case kind::array:
            return equals_array(json, v);
        case kind::object:
            return equals_object(json, v);
    }
    return false;
}

}  // namespace pulsewire::schema
