#pragma once

// The log: lines for the operator, on standard error. Any thread may log, and never waits: when the writer
// cannot keep up, the oldest lines are dropped. Text of clients must go through printable() first.

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace pulsewire::log {

enum class level { debug, info, warning, error, off };

// Whether `name` is one of debug, info, warning, error, off.
bool is_level(std::string_view name);
// Lines below this level are not written. Precondition: is_level(name).
void set_level(std::string_view name);
bool enabled(level l);
void write(level l, std::string_view line);
// Waits until what was logged is written.
void flush();
// For tests: lines go to `listener`, called on the thread that logs; null: to standard error again. The
// listener must live until it is replaced and no thread logs any more.
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
