#include "common/protocol/server_frame.hpp"

#include <cstddef>
#include <iterator>

namespace pulsewire {
namespace {

using namespace std::string_view_literals;

// Lists of names, each followed by a space; the place of a name in its list gives its meaning. Tables of
// string_view would be twice the size.

// In the order of server_op, from its second value on.
constexpr auto ops =
    "welcome subscribed unsubscribed published response history presence join leave gap error ping pong "
    "close drain request cancel refreshed refresh_wanted subscribe position degraded restored snapshot_wanted "sv;

constexpr auto strings =
    "type channel epoch session except reason message pointer code url from user conflate "sv;
constexpr slice server_frame::*string_members[] = {
    &server_frame::type,    &server_frame::channel, &server_frame::epoch,   &server_frame::session,
    &server_frame::except,  &server_frame::reason,  &server_frame::message, &server_frame::pointer,
    &server_frame::code,    &server_frame::url,     &server_frame::session, &server_frame::user,
    &server_frame::session,
};

constexpr auto numbers =
    "offset time id ping_ms pong_ms message_bytes_max after_ms replay request commands_per_second "
    "expires_in_ms "
    "within_ms covers part parts "sv;
constexpr std::uint64_t server_frame::*number_members[] = {
    &server_frame::offset,
    &server_frame::time,
    &server_frame::id,
    &server_frame::ping_ms,
    &server_frame::pong_ms,
    &server_frame::message_bytes_max,
    &server_frame::after_ms,
    &server_frame::replay,
    &server_frame::id,
    &server_frame::commands_per_second,
    &server_frame::expires_in_ms,
    &server_frame::after_ms,
    &server_frame::covers,
    &server_frame::part,
    &server_frame::parts,
};

// The place of `name` in the list, or the length of the list when it is not there.
std::size_t place_of(std::string_view name, std::string_view list) {
    std::size_t place = 0;
    for (std::size_t begin = 0, end = 0; end < list.size(); ++end) {
        if (list[end] != ' ') continue;
        if (list.substr(begin, end - begin) == name) break;
        begin = end + 1;
        ++place;
    }
    return place;
}

class reader {
public:
    reader(std::string_view header, server_frame& frame) : text_(header), frame_(frame) {}

    // Leaves at_ after the last byte of the header; `open` is true when a payload follows.
    bool read(bool& open) {
        if (!take('{')) return false;
        while (true) {
            slice key;
            if (!string(key) || !take(':')) return false;
            const std::string_view name = key.of(text_);
            if (name == "payload"sv) {
                open = true;
                return at_ == text_.size();
            }
            if (!member(name)) return false;
            if (take(',')) continue;
            open = false;
            return take('}') && at_ == text_.size();
        }
    }

private:
    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool string(slice& into) {
        if (!take('"')) return false;
        into.at = at_;
        while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        into.size = at_ - into.at;
        return take('"');
    }

    bool member(std::string_view name) {
        if (at_ >= text_.size()) return false;
        const char first = text_[at_];
        if (first == '"') return string_value(name);
        if (first == 't' || first == 'f') return flag_value(name);
        if (first == '{') return object_value();
        return number_value(name);
    }

    bool string_value(std::string_view name) {
        slice value;
        if (!string(value)) return false;
        if (name == "op"sv) {
            frame_.op = static_cast<server_op>(1 + place_of(value.of(text_), ops));
            return true;
        }
        const std::size_t place = place_of(name, strings);
        if (place < std::size(string_members)) frame_.*string_members[place] = value;
        return true;
    }

    bool flag_value(std::string_view name) {
        const bool value = text_[at_] == 't';
        const std::string_view word = value ? "true"sv : "false"sv;
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += static_cast<std::uint32_t>(word.size());
        if (name == "recovered"sv) {
            frame_.recovered = value;
            frame_.has_recovered = true;
        }
        if (name == "degraded"sv) frame_.degraded = value;
        return true;
    }

    // Only `user_info` is an object. What it holds is checked where it is parsed.
    bool object_value() {
        frame_.user_info.at = at_;
        std::uint32_t depth = 0;
        do {
            if (at_ >= text_.size()) return false;
            const char c = text_[at_];
            slice skipped;
            if (c == '"') {
                if (!string(skipped)) return false;
                continue;
            }
            if (c == '{') ++depth;
            if (c == '}') --depth;
            ++at_;
        } while (depth != 0);
        frame_.user_info.size = at_ - frame_.user_info.at;
        return true;
    }

    bool number_value(std::string_view name) {
        const std::uint32_t begin = at_;
        std::uint64_t value = 0;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9')
            value = value * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
        if (at_ == begin) return false;
        if (name == "code"sv) {
            frame_.close = static_cast<std::uint32_t>(value);
            return true;
        }
        if (name == "offset"sv) frame_.has_offset = true;
        const std::size_t place = place_of(name, numbers);
        if (place < std::size(number_members)) frame_.*number_members[place] = value;
        return true;
    }

    std::string_view text_;
    server_frame& frame_;
    std::uint32_t at_ = 0;
};

}  // namespace

bool read_server_frame(std::string_view header, std::uint32_t line_bytes, server_frame& frame) {
    bool open = false;
    if (!reader(header, frame).read(open)) return false;
    const auto header_bytes = static_cast<std::uint32_t>(header.size());
    if (!open) return header_bytes == line_bytes;
    if (line_bytes < header_bytes + 2) return false;  // at least one byte of payload and the final '}'
    frame.payload = {header_bytes, line_bytes - header_bytes - 1};
    return true;
}

}  // namespace pulsewire
