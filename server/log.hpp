#pragma once

// The log: lines for the operator, on standard error. Any thread may log, and never waits: when the writer
// cannot keep up, the oldest lines are dropped. Text of clients must go through printable() before it becomes
// a part of a sentence; as the value of a field it may be as it came.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace pulsewire::log {

enum class level { debug, info, warning, error, off };

// text: "2026-11-29T12:00:00.123+0000 info sentence". json: one object a line, for programs.
enum class format { text, json };

// A fact of a line under a name of its own. Only the format json shows it: the sentence says the same to
// people. Texts are views that are used during the call only; more than field_bytes_max of one is cut.
struct field {
    std::string_view name;
    std::variant<std::string_view, std::uint64_t, double> value;
};
using fields = std::vector<field>;
inline constexpr std::size_t field_bytes_max = 256;

// Whether `name` is one of debug, info, warning, error, off.
bool is_level(std::string_view name);
// Lines below this level are not written. Precondition: is_level(name).
void set_level(std::string_view name);
// Whether `name` is text or json.
bool is_format(std::string_view name);
// To be called before threads log. Precondition: is_format(name).
void set_format(std::string_view name);
format used_format();
bool enabled(level l);
void write(level l, std::string_view line, const fields& facts = {});
// The line of the format json, without its end: the members time, level and message, then those of `facts`.
// Every character that is not printable ASCII is escaped, so that no text can end a line or begin another.
std::string json_line(level l, std::string_view line, const fields& facts, std::int64_t wall_ms);
// Waits until what was logged is written.
void flush();
// For tests: lines, complete in the format json, go to `listener`, called on the thread that logs; null: to
// standard error again. The listener must live until it is replaced and no thread logs any more.
using listener = std::function<void(level l, std::string_view line)>;
void listen(const listener* listener);

// Text of a client for a line of the log: at most 80 bytes, with '?' for everything but printable ASCII.
std::string printable(std::string_view text);

namespace detail {
inline void append(std::string& out, std::string_view part) {
    out += part;
}
template <class Number>
requires std::is_arithmetic_v<Number>
void append(std::string& out, Number part) {
    out += std::to_string(part);
}
template <class... Parts>
void write_parts(level l, const Parts&... parts) {
    if (!enabled(l)) return;
    std::string line;
    (append(line, parts), ...);
    write(l, line);
}
}  // namespace detail

// Each takes texts and numbers and writes them as one line.
template <class... Parts>
void debug(const Parts&... parts) {
    detail::write_parts(level::debug, parts...);
}
template <class... Parts>
void info(const Parts&... parts) {
    detail::write_parts(level::info, parts...);
}
template <class... Parts>
void warning(const Parts&... parts) {
    detail::write_parts(level::warning, parts...);
}
template <class... Parts>
void error(const Parts&... parts) {
    detail::write_parts(level::error, parts...);
}

}  // namespace pulsewire::log
