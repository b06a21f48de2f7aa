#include "common/protocol/json_readable.hpp"

#include "common/protocol/json_scan.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace pulsewire {
namespace {

// From here on a number is rounded to infinity: the digits of 2^1024 - 2^970, which is halfway between the
// largest double and the next power of two. It has 309 of them.
constexpr std::string_view first_infinite = "17976931348623158079372897140530341507993413271003";
constexpr std::int64_t first_infinite_size = 309;
// No exponent beyond this is told apart; a number has fewer digits.
constexpr std::int64_t exponent_max = std::int64_t{1} << 40;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Walks through one value. `path` is the pointer to where it stands; each member and element extends it.
class walk {
public:
    explicit walk(std::string_view json) : scan_(json) {}

    std::optional<unreadable_value> find() {
        value();
        return std::move(found_);
    }

private:
    void value() {
        if (scan_.peek('{')) return object();
        if (scan_.peek('[')) return array();
        std::string_view scalar;
        if (!scan_.take_value(scalar, 0) || !scan_.has_unreadable()) return;
        report(
            scalar.front() == '"' ? "half a surrogate pair stands in a string"
                                  : "a number is too large for a double"
        );
    }

    void object() {
        (void)scan_.take('{');
        if (scan_.take('}')) return;
        do {
            std::string_view key;
            if (!scan_.take_string(key)) return;
            if (scan_.has_unreadable()) return report("half a surrogate pair stands in a key");
            (void)scan_.take(':');
            const std::size_t above = path_.size();
            path_ += '/';
            add_key(key);
            value();
            if (found_) return;
            path_.resize(above);
        } while (scan_.take(','));
        (void)scan_.take('}');
    }

    void array() {
        (void)scan_.take('[');
        if (scan_.take(']')) return;
        const std::size_t above = path_.size();
        std::size_t index = 0;
        do {
            path_ += '/' + std::to_string(index++);
            value();
            if (found_) return;
            path_.resize(above);
        } while (scan_.take(','));
        (void)scan_.take(']');
    }

    // RFC 6901, section 3.
    void add_key(std::string_view escaped) {
        std::string key;
        append_unescaped(key, escaped);
        for (const char c : key) {
            if (c == '~')
                path_ += "~0";
            else if (c == '/')
                path_ += "~1";
            else
                path_ += c;
        }
    }

    void report(std::string what) { found_ = unreadable_value{path_, std::move(what)}; }

    json_scan scan_;
    std::string path_;
    std::optional<unreadable_value> found_;
};

}  // namespace

bool exceeds_double(std::string_view number) {
    std::string digits;     // from the first that is not 0; more than the bound has are of no interest
    std::int64_t size = 0;  // the digits before the point, as if it were written without an exponent
    bool fraction = false;
    std::size_t at = number.front() == '-' ? 1 : 0;
    for (; at < number.size() && (is_digit(number[at]) || number[at] == '.'); ++at) {
        if (number[at] == '.') {
            fraction = true;
            continue;
        }
        if (digits.empty() && number[at] == '0') {
            if (fraction) --size;
            continue;
        }
        if (digits.size() < first_infinite.size()) digits += number[at];
        if (!fraction) ++size;
    }
    if (digits.empty()) return false;  // zero, whatever the exponent
    if (at < number.size()) {
        ++at;
        const bool negative = number[at] == '-';
        if (!is_digit(number[at])) ++at;
        std::int64_t exponent = 0;
        for (; at < number.size(); ++at)
            if (exponent < exponent_max) exponent = exponent * 10 + (number[at] - '0');
        size += negative ? -exponent : exponent;
    }
    if (size != first_infinite_size) return size > first_infinite_size;
    return digits >= first_infinite;
}

std::optional<unreadable_value> first_unreadable(std::string_view json) {
    return walk(json).find();
}

}  // namespace pulsewire
