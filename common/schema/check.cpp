#include "common/protocol/json_readable.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"
#include "common/schema/checker.hpp"
#include "common/schema/number.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::schema {
namespace {

std::size_t code_points(std::string_view inner) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < inner.size(); ++i) {
        const auto byte = static_cast<unsigned char>(inner[i]);
        if ((byte & 0xC0) == 0x80) continue;
        ++count;
        if (byte != '\\') continue;
        ++i;
        if (inner[i] != 'u') continue;
        const bool high = (detail::hex4(inner.substr(i + 1)) & 0xfc00) == 0xd800;
        i += 4;
        // A pair of escapes is one character; halves without their other one count each.
        if (high && inner.substr(i + 1, 2) == "\\u" && (detail::hex4(inner.substr(i + 3)) & 0xfc00) == 0xdc00)
            i += 6;
    }
    return count;
}

// "1 character", "2 characters".
std::string counted(std::uint64_t number, std::string_view of) {
    return std::to_string(number) + " " + std::string(of) + (number == 1 ? "" : "s");
}

// "string of 1 to 5 characters".
std::string in_words(const size_bounds& bounds, std::string_view of) {
    if (bounds.min == bounds.max) return counted(bounds.min, of);
    if (bounds.max == size_bounds().max) return "at least " + counted(bounds.min, of);
    if (bounds.min == 0) return "at most " + counted(bounds.max, of);
    return std::to_string(bounds.min) + " to " + counted(bounds.max, of);
}

bool fits(std::uint64_t size, const size_bounds& bounds) {
    return size >= bounds.min && size <= bounds.max;
}

// The numbers that an object must have, seen so far; one word of bits is enough for nearly all.
class seen_members {
public:
    explicit seen_members(std::size_t count) {
        if (count > 64) more_.resize(count);
    }
    void add(std::size_t at) {
        if (more_.empty()) {
            bits_ |= std::uint64_t{1} << at;
        } else {
            more_[at] = true;
        }
    }
    bool has(std::size_t at) const { return more_.empty() ? (bits_ >> at & 1) != 0 : more_[at]; }

private:
    std::uint64_t bits_ = 0;
    std::vector<bool> more_;
};

// Walks through one payload. The pointer of an error grows on the way out, so a payload that fits costs none.
class walk {
public:
    walk(const std::vector<node>& nodes, std::string_view payload)
        : nodes_(nodes), payload_(payload), scan_(payload) {}

    std::optional<payload_error> check(node_index root) {
        if (!check_value(root, json_depth_max) || !(scan_.skip_space() && (scan_.at_end() || malformed()))) {
            if (unreadable_) error_.pointer.clear();
            return std::move(error_);
        }
        if (!scan_.has_unreadable()) return std::nullopt;
        auto why = first_unreadable(payload_);
        if (!why) return std::nullopt;
        return payload_error{
            "", std::move(why->pointer), "JSON that every reader takes", std::move(why->what)};
    }

private:
    bool malformed() {
        unreadable_ = true;
        if (scan_.too_deep())
            return refuse(
                error_, "JSON at most " + std::to_string(json_depth_max) + " levels deep", "a deeper level"
            );
        return refuse(error_, "JSON", "malformed JSON at byte " + std::to_string(scan_.at() + 1));
    }

    bool check_value(node_index at, int depth_max) {
        std::string_view slice;
        if (at == anything) return scan_.take_value(slice, depth_max) || malformed();
        const node& n = nodes_[at];
        scan_.skip_space();
        if (scan_.at_end()) return malformed();
        const kind k = kind_of(payload_[scan_.at()]);
        if (!n.choices.empty() || (n.kinds & bit_of(k)) == 0) {
            // Read ahead and from here again; few values are containers that have to be one of some.
            json_scan ahead = scan_;
            if (!ahead.take_value(slice, depth_max)) return std::swap(ahead, scan_), malformed();
            if ((n.kinds & bit_of(k)) == 0) return refuse(error_, n.expected, std::string(name_of(k)));
            if (!is_chosen(n, slice)) return refuse(error_, n.expected, other(n, k));
        }
        if (k == kind::object) return check_object(n, depth_max);
        if (k == kind::array) return check_array(n, depth_max);
        if (!scan_.take_value(slice, depth_max)) return malformed();
        if (k == kind::number) return check_number(n, slice);
        return k != kind::string || check_string(n, slice.substr(1, slice.size() - 2));
    }

    static bool is_chosen(const node& n, std::string_view slice) {
        return std::any_of(n.choices.begin(), n.choices.end(), [&](const value& v) {
            return equals(slice, v);
        });
    }

    // What was found in place of the choices: its kind, and that it is another one where that would not tell.
    static std::string other(const node& n, kind k) {
        const bool same =
            std::any_of(n.choices.begin(), n.choices.end(), [&](const value& v) { return v.is == k; });
        return std::string(same ? "another " : "") + std::string(name_of(k));
    }

    bool check_number(const node& n, std::string_view number) {
        if (n.whole && !is_whole(number)) return refuse(error_, n.expected, "number with a fraction");
        if (n.min && !is_beyond(number, *n.min, 1)) return refuse(error_, range_of(n), "a smaller one");
        if (n.max && !is_beyond(number, *n.max, -1)) return refuse(error_, range_of(n), "a larger one");
        return true;
    }

    // Whether the number is on that side of the bound: 1 above, -1 below.
    static bool is_beyond(std::string_view number, const number_bound& bound, int side) {
        const int order = compare_numbers(number, bound.number) * side;
        return order > 0 || (order == 0 && !bound.exclusive);
    }

    static void append(std::string& text, std::string_view words, const number_bound& bound) {
        constexpr std::size_t shown_bytes_max = 40;
        text.append(words).append(bound.number, 0, shown_bytes_max);
        if (bound.number.size() > shown_bytes_max) text.append("...");
    }

    // "integer from 0 to 255", "number greater than 0".
    static std::string range_of(const node& n) {
        std::string text(n.whole ? "integer" : "number");
        if (n.min && n.max && !n.min->exclusive && !n.max->exclusive) {
            append(text, " from ", *n.min);
            append(text, " to ", *n.max);
            return text;
        }
        if (n.min) append(text, n.min->exclusive ? " greater than " : " of at least ", *n.min);
        if (n.min && n.max) text.append(" and");
        if (n.max) append(text, n.max->exclusive ? " less than " : " of at most ", *n.max);
        return text;
    }

    bool check_string(const node& n, std::string_view inner) {
        if (!n.characters.are_set()) return true;
        const std::size_t count = code_points(inner);
        if (fits(count, n.characters)) return true;
        return refuse(
            error_, "string of " + in_words(n.characters, "character"),
            "string of " + counted(count, "character")
        );
    }

    bool check_array(const node& n, int depth_max) {
        if (depth_max == 0) return too_deep();
        (void)scan_.take('[');
        std::size_t count = 0;
        if (!scan_.take(']')) {
            do {
                if (!check_value(n.elements, depth_max - 1)) {
                    within(error_, count);
                    return false;
                }
                ++count;
            } while (scan_.take(','));
            if (!scan_.take(']')) return malformed();
        }
        if (fits(count, n.element_count)) return true;
        // As the C++ types say it of std::array.
        if (n.element_count.min == n.element_count.max)
            return refuse(
                error_, "array of " + std::to_string(n.element_count.min), "array of " + std::to_string(count)
            );
        return refuse(
            error_, "array of " + in_words(n.element_count, "element"),
            "array of " + counted(count, "element")
        );
    }

    bool check_object(const node& n, int depth_max) {
        if (depth_max == 0) return too_deep();
        (void)scan_.take('{');
        seen_members seen(n.members.size());
        std::size_t count = 0;
        std::size_t expected_next = 0;
        if (!scan_.take('}')) {
            do {
                std::string_view key;
                if (!scan_.take_string(key)) return malformed();
                std::string decoded;
                if (key.find('\\') != std::string_view::npos) {
                    append_unescaped(decoded, key);
                    key = decoded;
                }
                if (!scan_.take(':')) return malformed();
                const std::size_t at = find(n, key, expected_next);
                if (at != n.members.size()) {
                    seen.add(at);
                    expected_next = at + 1;
                }
                const node_index content = at == n.members.size() ? n.other_members : n.members[at].content;
                if (!check_value(content, depth_max - 1)) {
                    within(error_, key);
                    return false;
                }
                ++count;
            } while (scan_.take(','));
            if (!scan_.take('}')) return malformed();
        }
        for (std::size_t i = 0; i < n.members.size(); ++i) {
            if (!n.members[i].required || seen.has(i)) continue;
            refuse(error_, nodes_[n.members[i].content].expected, "nothing");
            within(error_, n.members[i].name);
            return false;
        }
        if (fits(count, n.member_count)) return true;
        return refuse(
            error_, "object with " + in_words(n.member_count, "member"),
            "object with " + counted(count, "member")
        );
    }

    bool too_deep() {
        std::string_view slice;
        (void)scan_.take_value(slice, 0);
        return malformed();
    }

    // The index of the member's rule, or the number of rules. Members mostly come in the order of the schema.
    static std::size_t find(const node& n, std::string_view name, std::size_t expected_next) {
        if (expected_next < n.members.size() && n.members[expected_next].name == name) return expected_next;
        const auto at = std::lower_bound(
            n.by_name.begin(), n.by_name.end(), name,
            [&](std::uint32_t i, std::string_view sought) { return n.members[i].name < sought; }
        );
        return at != n.by_name.end() && n.members[*at].name == name ? *at : n.members.size();
    }

    const std::vector<node>& nodes_;
    std::string_view payload_;
    json_scan scan_;
    payload_error error_;
    bool unreadable_ = false;  // the text, so that the error is of no place in it
};

}  // namespace

std::optional<payload_error> checker::check(std::string_view payload) const {
    return walk(nodes_, payload).check(root_);
}

}  // namespace pulsewire::schema
