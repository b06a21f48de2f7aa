#include "server/http/chunked.hpp"

#include "server/http/text.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell {
namespace {

// Fifteen hexadecimal digits cannot overflow, and no body is as large.
constexpr std::size_t size_digits_max = 15;

refusal malformed(std::string message) {
    return {400, error_code::invalid_frame, std::move(message)};
}

}  // namespace

chunked_reader::outcome chunked_reader::refuse(refusal why) {
    why_ = std::move(why);
    return outcome::refused;
}

bool chunked_reader::count_extra(std::size_t bytes) {
    extra_bytes_ += bytes;
    if (extra_bytes_ <= extra_bytes_max_) return true;
    why_ = refusal{
        431, error_code::too_large, "the extensions and trailers of the chunked body are too large",
        "http_head_bytes_max"};
    return false;
}

// Nothing while the line is not whole, and after a refusal. A line that only LF ends is no line: two readers
// could disagree about where it ends.
std::optional<std::string_view> chunked_reader::take_line(std::string_view& bytes) {
    const std::size_t end = bytes.find("\r\n");
    std::string_view line = bytes.substr(0, end);
    if (end == std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);  // its LF may come
    if (std::any_of(line.begin(), line.end(), is_control)) {
        refuse(malformed("there is a control byte in the chunked body, outside of its data"));
        return std::nullopt;
    }
    if (end == std::string_view::npos) {
        if (line.size() > extra_bytes_max_ - extra_bytes_ + size_digits_max) (void)count_extra(line.size());
        return std::nullopt;
    }
    bytes.remove_prefix(end + 2);
    return line;
}

chunked_reader::outcome chunked_reader::read_size(std::string_view line, std::size_t body_bytes) {
    std::size_t digits = 0;
    std::uint64_t size = 0;
    while (digits < line.size() && hex_value(line[digits]) >= 0) {
        if (digits == size_digits_max) return refuse(malformed("the size of a chunk has too many digits"));
        size = size * 16 + static_cast<std::uint64_t>(hex_value(line[digits++]));
    }
    const std::string_view extension = trimmed(line.substr(digits));
    if (digits == 0 || (!extension.empty() && extension[0] != ';'))
        return refuse(malformed("a chunk of the body does not begin with its size"));
    if (!count_extra(line.size() - digits)) return outcome::refused;
    if (size > body_bytes_max_ - body_bytes)
        return refuse(
            {413, error_code::too_large, "the body is larger than message_bytes_max", "message_bytes_max"}
        );
    chunk_left_ = size;
    next_ = size == 0 ? expected::trailer : expected::data;
    return outcome::more;
}

chunked_reader::outcome chunked_reader::read_trailer(std::string_view line) {
    if (line.empty()) {
        next_ = expected::nothing;
        return outcome::whole;
    }
    // As in a head: no folded line, and a name directly before its colon.
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos ||
        line.substr(0, colon).find_first_of(" \t") != std::string_view::npos)
        return refuse(malformed("a trailer of the chunked body is no field"));
    return count_extra(line.size() + 2) ? outcome::more : outcome::refused;
}

chunked_reader::outcome chunked_reader::take(std::string_view& bytes, std::string& body) {
    while (next_ != expected::nothing) {
        if (next_ == expected::data) {
            const std::string_view piece = bytes.substr(0, chunk_left_);
            body.append(piece);
            bytes.remove_prefix(piece.size());
            chunk_left_ -= piece.size();
            if (chunk_left_ > 0) return outcome::more;
            next_ = expected::data_end;
        }
        if (next_ == expected::data_end) {
            if (!std::string_view("\r\n").starts_with(bytes.substr(0, 2)))
                return refuse(malformed("a chunk of the body is longer than its size says"));
            if (bytes.size() < 2) return outcome::more;
            bytes.remove_prefix(2);
            next_ = expected::size;
        }
        const auto line = take_line(bytes);
        if (!line) return why_ ? outcome::refused : outcome::more;
        const outcome read = next_ == expected::size ? read_size(*line, body.size()) : read_trailer(*line);
        if (read != outcome::more) return read;
    }
    return outcome::whole;
}

}  // namespace pulsewire::shell
