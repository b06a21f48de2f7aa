#include "common/protocol/command.hpp"

#include "common/base/base64.hpp"
#include "common/protocol/json_readable.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/names.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

namespace pulsewire {
namespace {

// A name of at most eight bytes as a number of its own, so that a switch tells names apart; 0 for longer
// ones.
constexpr std::uint64_t packed(std::string_view name) {
    if (name.size() > sizeof(std::uint64_t)) return 0;
    if (std::endian::native != std::endian::little || std::is_constant_evaluated()) {
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < name.size(); ++i)
            number |= std::uint64_t{static_cast<unsigned char>(name[i])} << (8 * i);
        return number;
    }
    // Two loads, of which the second may cover a part of the first: there both have the same bytes.
    const auto both_ends = [&](auto half) {
        const std::size_t behind = name.size() - sizeof half;
        std::memcpy(&half, name.data(), sizeof half);
        const std::uint64_t first = half;
        std::memcpy(&half, name.data() + behind, sizeof half);
        return first | std::uint64_t{half} << (8 * behind);
    };
    if (name.size() >= sizeof(std::uint32_t)) return both_ends(std::uint32_t{});
    if (name.size() >= sizeof(std::uint16_t)) return both_ends(std::uint16_t{});
    return name.empty() ? 0 : static_cast<unsigned char>(name.front());
}

command_op op_named(std::string_view name) {
    switch (packed(name)) {
        case packed("publish"):
            return command_op::publish;
        case packed("request"):
            return command_op::request;
        case packed("respond"):
            return command_op::respond;
        case packed("cancel"):
            return command_op::cancel;
        case packed("history"):
            return command_op::history;
        case packed("presence"):
            return command_op::presence;
        case packed("connect"):
            return command_op::connect;
        case packed("refresh"):
            return command_op::refresh;
        case packed("ping"):
            return command_op::ping;
        case packed("pong"):
            return command_op::pong;
        default:
            if (name == "subscribe") return command_op::subscribe;
            return name == "unsubscribe" ? command_op::unsubscribe : command_op::none;
    }
}

bool takes_bytes(command_op op) {
    return op == command_op::publish || op == command_op::request || op == command_op::respond;
}

// The members that count: all members of commands, or those of a publish over HTTP.
enum class members_of : bool { a_command, a_publish_body };

// Reads the members of one frame into a command and remembers the first fault.
class member_reader {
public:
    member_reader(
        std::string_view text, std::string& scratch, members_of which,
        std::optional<std::string_view> behind = std::nullopt
    )
        : text_(text), behind_(behind), scan_(text), scratch_(scratch), which_(which) {
        scratch_.clear();
    }

    bool read() {
        const bool complete =
            for_each_member(scan_, json_depth_max, [&](std::string_view key, std::string_view value) {
                return member(key, value), true;
            });
        if (complete && scan_.skip_space() && scan_.at_end()) {
            if (found.binary || behind_) see_to_bytes();
            return true;
        }
        const bool has_unknown_bytes = fault_.has_unknown_bytes;
        fault_ = {};
        fault_.has_unknown_bytes = has_unknown_bytes;
        std::size_t stopped_at = 0;
        if (is_json(text_, json_depth_max, stopped_at)) {
            blame(error_code::invalid_frame, "a frame is a JSON object");
        } else {
            blame(
                error_code::malformed_json,
                (scan_.too_deep()
                     ? "nested deeper than " + std::to_string(json_depth_max) + " levels at byte "
                     : "not valid JSON, reading stopped at byte ") +
                    std::to_string(scan_.at())
            );
        }
        return false;
    }

    bool faulty() const { return fault_.code != error_code::none; }

    failure<command_error> fault() {
        fault_.id = found.id;
        return failure{std::move(fault_)};
    }

    void blame(error_code code, std::string message) {
        if (faulty()) return;
        fault_.code = code;
        fault_.message = std::move(message);
    }

    command found;
    bool has_op = false;

private:
    void member(std::string_view key, std::string_view value) {
        switch (packed(key)) {
            case packed("payload"):
                return payload(value);
            case packed("type"):
                return name(key, value, found.type, is_type, error_code::invalid_type);
            case packed("key"):
                return name(key, value, found.key, is_key, error_code::invalid_frame);
            case packed("conflate"):
                return name(key, value, found.conflate, is_key, error_code::invalid_frame);
            case packed("binary"):
                return flag(key, value, found.binary);
            case packed("snapshot"):
                return snapshot(value);
            default:
                if (key == "transient") return flag(key, value, found.transient);
                if (key == "if_offset") {
                    found.has_if_offset = true;
                    return number(key, value, found.if_offset, 0);
                }
                return which_ == members_of::a_command ? member_of_command(key, value)
                                                       : member_of_publish_body(key, value);
        }
    }

    void member_of_publish_body(std::string_view key, std::string_view value) {
        if (key == "user") name(key, value, found.user, is_user, error_code::invalid_frame);
        if (key == "epoch") name(key, value, found.epoch, is_epoch, error_code::invalid_frame);
    }

    void member_of_command(std::string_view key, std::string_view value) {
        switch (packed(key)) {
            case packed("id"):
                return number(key, value, found.id, 1);
            case packed("op"):
                return op(value);
            case packed("channel"):
                return name(key, value, found.channel, is_channel, error_code::invalid_channel);
            case packed("epoch"):
                return name(key, value, found.epoch, is_epoch, error_code::invalid_frame);
            case packed("offset"):
                found.has_offset = true;
                return number(key, value, found.offset, 0);
            case packed("time"):
                found.has_time = true;
                return number(key, value, found.time, 0);
            case packed("latest"):
                return number(key, value, found.latest, 0);
            case packed("limit"):
                return number(key, value, found.limit, 1);
            case packed("version"):
                return number(key, value, found.version, 0);
            case packed("presence"):
                return flag(key, value, found.presence);
            case packed("echo"):
                return flag(key, value, found.echo);
            case packed("state"):
                return flag(key, value, found.state);
            case packed("pongs"):
                return flag(key, value, found.pongs);
            case packed("session"):
                return string(key, value, found.session);
            case packed("client"):
                return string(key, value, found.client);
            case packed("to"):
                return string(key, value, found.to);
            case packed("token"):
                return token(value);
            case packed("after"):
                return string(key, value, found.after);
            case packed("request"):
                return number(key, value, found.request, 1);
            case packed("bytes"):
                return bytes(key, value);
            case packed("code"):
                return string(key, value, found.code);
            case packed("message"):
                return string(key, value, found.message);
            default:
                if (key == "timeout_ms") number(key, value, found.timeout_ms, 1);
                if (key == "backwards") flag(key, value, found.backwards);
        }
    }

    // Room for everything is reserved at once, so that views into it stay valid. It is enough, because
    // members do not overlap and no member becomes longer here.
    std::string& scratch() {
        if (scratch_.capacity() < text_.size()) scratch_.reserve(text_.size());
        return scratch_;
    }

    void string(std::string_view key, std::string_view value, std::string_view& into) {
        read_string(key, value, into);
    }

    // False: it is none, which is remembered.
    bool read_string(std::string_view key, std::string_view value, std::string_view& into) {
        if (value.front() != '"') {
            blame(error_code::invalid_frame, "\"" + std::string(key) + "\" must be a string");
            return false;
        }
        into = {value.data() + 1, value.size() - 2};
        if (scan_.has_escapes()) unescape(into);
        return true;
    }

    void unescape(std::string_view& text) {
        if (text.find('\\') == std::string_view::npos) return;
        const std::size_t begin = scratch().size();
        append_unescaped(scratch(), text);
        text = std::string_view(scratch_).substr(begin);
    }

    void token(std::string_view value) {
        if (read_string("token", value, found.token) && found.token.size() > token_bytes_max)
            blame(error_code::too_large, "\"token\" is longer than 8 KiB");
    }

    void op(std::string_view value) {
        std::string_view named;
        has_op = true;
        if (!read_string("op", value, named)) return;
        found.op = op_named(named);
        if (found.op == command_op::none)
            blame(error_code::unknown_op, "\"op\" is not a command of pulsewire.v1");
    }

    void name(
        std::string_view key, std::string_view value, std::string_view& into, bool (*valid)(std::string_view),
        error_code code
    ) {
        if (!read_string(key, value, into) || valid(into)) return;
        blame(code, "\"" + std::string(key) + "\" has a length or a character that is not allowed");
    }

    void number(std::string_view key, std::string_view value, std::uint64_t& into, std::uint64_t least) {
        std::uint64_t n = 0;
        bool valid = value.size() <= 16;
        for (const char c : value) {
            valid = valid && c >= '0' && c <= '9';
            n = n * 10 + static_cast<std::uint64_t>(c - '0');
        }
        if (valid && n >= least && n <= id_max) {
            into = n;
        } else {
            blame(
                error_code::invalid_frame,
                "\"" + std::string(key) + "\" must be an integer from " + std::to_string(least) + " to 2^53-1"
            );
        }
    }

    void flag(std::string_view key, std::string_view value, bool& into) {
        if (value != "true" && value != "false")
            return blame(error_code::invalid_frame, "\"" + std::string(key) + "\" must be true or false");
        into = value == "true";
    }

    void snapshot(std::string_view value) {
        std::uint64_t part = 1, parts = 1;
        json_scan scan(value);
        const bool is_object =
            for_each_member(scan, json_depth_max, [&](std::string_view key, std::string_view member) {
                if (key == "covers") return number("covers", member, found.snapshot.covers, 1), true;
                if (key == "part") return number("part", member, part, 1), true;
                if (key == "parts") return number("parts", member, parts, 1), true;
                if (key == "id") name("id", member, found.snapshot.id, is_key, error_code::invalid_frame);
                if (key == "epoch")
                    name("epoch", member, found.snapshot.epoch, is_epoch, error_code::invalid_frame);
                return true;
            });
        if (!is_object || found.snapshot.covers == 0)
            return blame(
                error_code::invalid_frame,
                R"("snapshot" is {"covers": the offset, "epoch"} or {"covers", "epoch", "id", "part", "parts"})"
            );
        if (parts > snapshot_parts_max || part > parts || (parts > 1) != !found.snapshot.id.empty())
            return blame(
                error_code::invalid_frame, "a snapshot has at most " + std::to_string(snapshot_parts_max) +
                                               " parts, numbered from 1, and an \"id\" if they are several"
            );
        found.snapshot.part = static_cast<std::uint16_t>(part);
        found.snapshot.parts = static_cast<std::uint16_t>(parts);
    }

    // How many follow was read before, or the line would have no end (bytes_behind).
    void bytes(std::string_view key, std::string_view value) {
        std::uint64_t said = 0;
        number(key, value, said, 0);
        if (!behind_) fault_.has_unknown_bytes = true;
        if (!behind_ || said != behind_->size())
            return blame(
                error_code::invalid_frame, "\"bytes\" is the last member of a line in a binary message"
            );
        found.binary = true;
    }

    // The payload of the frame is bytes: those behind the line, or what its text means.
    void see_to_bytes() {
        if (which_ == members_of::a_command && !takes_bytes(found.op)) {
            if (behind_)
                blame(error_code::invalid_frame, "only publish, request and respond have a payload of bytes");
            if (found.op != command_op::connect) found.binary = false;
        } else if (behind_) {
            if (!found.payload.empty())
                blame(error_code::invalid_frame, "a frame with \"bytes\" has no \"payload\"");
            found.payload = *behind_;
        } else if (!found.payload.empty()) {
            decode_payload();
        } else {
            found.binary = false;
        }
    }

    void decode_payload() {
        std::string_view text = found.payload;
        const bool is_string = text.size() >= 2 && text.front() == '"';
        if (is_string) text = text.substr(1, text.size() - 2);
        std::string plain;  // some writers of JSON escape the slash
        if (text.find('\\') != std::string_view::npos) {
            append_unescaped(plain, text);
            text = plain;
        }
        const std::size_t begin = scratch().size();
        if (!is_string || !append_from_base64(scratch_, text))
            return blame(error_code::invalid_payload, "a payload that is \"binary\" is a string of base64");
        found.payload = std::string_view(scratch_).substr(begin);
    }

    // Raw line ends between tokens are legal JSON, but they would break the lines
    // and events that carry the payload.
    void payload(std::string_view value) {
        found.payload = value;
        if (scan_.has_unreadable()) check_readable(value);
        const bool has_tokens = value.front() == '{' || value.front() == '[';
        if (!has_tokens || !scan_.has_line_ends()) return;
        const std::size_t begin = scratch().size();
        for (const char c : value) scratch_.push_back(c == '\r' || c == '\n' ? ' ' : c);
        found.payload = std::string_view(scratch_).substr(begin);
    }

    void check_readable(std::string_view value) {
        auto bad = first_unreadable(value);
        if (!bad || faulty()) return;
        blame(error_code::invalid_payload, "the payload cannot be read everywhere: " + bad->what);
        fault_.pointer = std::move(bad->pointer);
    }

    std::string_view text_;
    std::optional<std::string_view> behind_;
    json_scan scan_;
    std::string& scratch_;
    members_of which_;
    command_error fault_;
};

// The first required member of the operation that is missing; empty when none is.
std::string_view missing_member(const command& c) {
    switch (c.op) {
        case command_op::subscribe:
            if (c.channel.empty()) return "channel";
            // One without the other is no position. Ignoring it would start at the
            // head and lose messages silently.
            if (c.epoch.empty() != !c.has_offset) return c.has_offset ? "epoch" : "offset";
            return "";
        case command_op::unsubscribe:
        case command_op::history:
        case command_op::presence:
            return c.channel.empty() ? "channel" : "";
        case command_op::publish:
            if (c.channel.empty()) return "channel";
            if (c.type.empty()) return "type";
            return c.has_payload() ? "" : "payload";
        case command_op::request:
            if (c.id == 0) return "id";
            if (c.type.empty()) return "type";
            return c.has_payload() ? "" : "payload";
        case command_op::respond:
            if (c.request == 0) return "request";
            return c.has_payload() || !c.code.empty() ? "" : "payload";
        case command_op::cancel:
            return c.id == 0 ? "id" : "";
        case command_op::refresh:
            return c.token.empty() ? "token" : "";
        default:
            return "";
    }
}

}  // namespace

result<command, command_error> read_command(
    std::string_view line, std::string& scratch, std::optional<std::string_view> behind
) {
    member_reader reader(line, scratch, members_of::a_command, behind);
    if (!reader.read()) return reader.fault();
    if (!reader.has_op) reader.blame(error_code::invalid_frame, "\"op\" is missing");
    if (const auto missing = missing_member(reader.found); !reader.faulty() && !missing.empty())
        reader.blame(error_code::invalid_frame, "\"" + std::string(missing) + "\" is missing");
    if (reader.faulty()) return reader.fault();
    return reader.found;
}

result<command, command_error> read_publish_body(std::string_view body, std::string& scratch) {
    member_reader reader(body, scratch, members_of::a_publish_body);
    if (!reader.read()) return reader.fault();
    if (!reader.found.has_payload()) reader.blame(error_code::invalid_frame, "\"payload\" is missing");
    if (reader.faulty()) return reader.fault();
    reader.found.op = command_op::publish;
    if (reader.found.type.empty()) reader.found.type = "message";
    return reader.found;
}

std::size_t size_of(std::string_view line, const command& c) {
    if (!c.binary || c.op == command_op::connect) return line.size();
    return line.size() - std::min(line.size(), base64_size(c.payload.size())) + c.payload.size();
}

std::optional<std::uint64_t> bytes_behind(std::string_view line) {
    if (line.empty() || line.back() != '}') return std::nullopt;
    line.remove_suffix(1);
    const std::size_t digits = line.size() - (line.find_last_not_of("0123456789") + 1);
    constexpr std::string_view key = R"(,"bytes":)";
    constexpr std::size_t digits_max = 9;  // no message is as large
    const std::string_view number = line.substr(line.size() - digits);
    if (digits == 0 || digits > digits_max || !line.substr(0, line.size() - digits).ends_with(key))
        return std::nullopt;
    std::uint64_t bytes = 0;
    for (const char c : number) bytes = bytes * 10 + static_cast<std::uint64_t>(c - '0');
    return bytes;
}

std::uint64_t id_of_partial_frame(std::string_view head) {
    std::uint64_t id = 0;
    json_scan scan(head);
    for_each_member(scan, json_depth_max, [&](std::string_view key, std::string_view value) {
        const bool ends_inside = value.data() + value.size() < head.data() + head.size();
        if (key != "id" || !ends_inside || value.size() > 16) return true;
        std::uint64_t n = 0;
        for (const char c : value) {
            if (c < '0' || c > '9') return false;
            n = n * 10 + static_cast<std::uint64_t>(c - '0');
        }
        id = n <= id_max ? n : 0;
        return false;
    });
    return id;
}

}  // namespace pulsewire
