#include "common/protocol/server_frame.hpp"

namespace pulsewire {
namespace {

using namespace std::string_view_literals;

struct op_name {
    std::string_view name;
    server_op op;
};

constexpr op_name op_names[] = {
    {"published", server_op::published},
    {"ping", server_op::ping},
    {"pong", server_op::pong},
    {"subscribed", server_op::subscribed},
    {"response", server_op::response},
    {"join", server_op::join},
    {"leave", server_op::leave},
    {"presence", server_op::presence},
    {"history", server_op::history},
    {"error", server_op::error},
    {"gap", server_op::gap},
    {"welcome", server_op::welcome},
    {"unsubscribed", server_op::unsubscribed},
    {"close", server_op::close},
    {"drain", server_op::drain},
};

struct string_member {
    std::string_view key;
    slice server_frame::*into;
};

constexpr string_member string_members[] = {
    {"type", &server_frame::type},       {"channel", &server_frame::channel},
    {"epoch", &server_frame::epoch},     {"session", &server_frame::session},
    {"except", &server_frame::except},   {"reason", &server_frame::reason},
    {"message", &server_frame::message}, {"pointer", &server_frame::pointer},
    {"code", &server_frame::error},
};

struct number_member {
    std::string_view key;
    std::uint64_t server_frame::*into;
};

constexpr number_member number_members[] = {
    {"offset", &server_frame::offset},
    {"time", &server_frame::time},
    {"id", &server_frame::id},
    {"ping_ms", &server_frame::ping_ms},
    {"pong_ms", &server_frame::pong_ms},
    {"message_bytes_max", &server_frame::message_bytes_max},
    {"after_ms", &server_frame::after_ms},
    {"replay", &server_frame::replay},
};

class reader {
public:
    reader(std::string_view header, server_frame& frame) : text_(header), frame_(frame) {}

    // Leaves at_ behind the header's last byte; `open` tells that a payload follows.
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
        return number_value(name);
    }

    bool string_value(std::string_view name) {
        slice value;
        if (!string(value)) return false;
        if (name == "op"sv) {
            frame_.op = server_op::unknown;
            for (const op_name& o : op_names)
                if (o.name == value.of(text_)) frame_.op = o.op;
            return true;
        }
        for (const string_member& m : string_members)
            if (m.key == name) frame_.*m.into = value;
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
        return true;
    }

    bool number_value(std::string_view name) {
        const std::uint32_t begin = at_;
        std::uint64_t value = 0;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9')
            value = value * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
        if (at_ == begin) return false;
        if (name == "code"sv) {
            frame_.code = static_cast<std::uint32_t>(value);
            return true;
        }
        if (name == "offset"sv) frame_.has_offset = true;
        for (const number_member& m : number_members)
            if (m.key == name) frame_.*m.into = value;
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
