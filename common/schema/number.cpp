#include "common/schema/number.hpp"

#include "common/protocol/json_number.hpp"

#include <cstddef>
#include <limits>

namespace pulsewire::schema {
namespace {

// No exponent beyond this is told apart; a number has fewer digits.
constexpr std::int64_t exponent_max = std::int64_t{1} << 40;

// The digits of a number from the first that is not 0: 0.d1d2d3... times 10 to the power of `magnitude`.
class digits {
public:
    explicit digits(std::string_view number) {
        negative_ = number.front() == '-';
        if (negative_) number.remove_prefix(1);
        const std::size_t end = number.find_first_of("eE");
        rest_ = number.substr(0, end);
        const std::size_t point = rest_.find('.');
        magnitude_ = static_cast<std::int64_t>(point == std::string_view::npos ? rest_.size() : point);
        while (!rest_.empty() && (rest_.front() == '0' || rest_.front() == '.')) {
            if (rest_.front() == '0') --magnitude_;
            rest_.remove_prefix(1);
        }
        if (end != std::string_view::npos) magnitude_ += exponent(number.substr(end + 1));
    }

    bool is_zero() const { return rest_.empty(); }
    bool negative() const { return negative_ && !is_zero(); }
    std::int64_t magnitude() const { return magnitude_; }

    // The next digit; zeros after the last one.
    char next() {
        if (!rest_.empty() && rest_.front() == '.') rest_.remove_prefix(1);
        if (rest_.empty()) return '0';
        const char digit = rest_.front();
        rest_.remove_prefix(1);
        return digit;
    }
    bool at_end() const { return rest_.empty(); }

private:
    static std::int64_t exponent(std::string_view text) {
        const bool negative = text.front() == '-';
        if (!is_digit(text.front())) text.remove_prefix(1);
        std::int64_t value = 0;
        for (const char c : text)
            if (value < exponent_max) value = value * 10 + (c - '0');
        return negative ? -value : value;
    }

    bool negative_ = false;
    std::string_view rest_;
    std::int64_t magnitude_ = 0;
};

int compare_magnitudes(digits a, digits b) {
    if (a.is_zero() || b.is_zero()) return static_cast<int>(b.is_zero()) - static_cast<int>(a.is_zero());
    if (a.magnitude() != b.magnitude()) return a.magnitude() < b.magnitude() ? -1 : 1;
    while (!a.at_end() || !b.at_end()) {
        const char of_a = a.next(), of_b = b.next();
        if (of_a != of_b) return of_a < of_b ? -1 : 1;
    }
    return 0;
}

// Most numbers are short and have neither point nor exponent.
bool read_short(std::string_view number, std::int64_t& value) {
    constexpr std::size_t digits_max = 18;  // 10^18 fits
    const bool negative = number.front() == '-';
    if (negative) number.remove_prefix(1);
    if (number.size() > digits_max) return false;
    value = 0;
    for (const char c : number) {
        if (!is_digit(c)) return false;
        value = value * 10 + (c - '0');
    }
    if (negative) value = -value;
    return true;
}

}  // namespace

int compare_numbers(std::string_view a, std::string_view b) {
    std::int64_t short_a = 0, short_b = 0;
    if (read_short(a, short_a) && read_short(b, short_b))
        return static_cast<int>(short_a > short_b) - static_cast<int>(short_a < short_b);
    const digits of_a(a), of_b(b);
    if (of_a.negative() != of_b.negative()) return of_a.negative() ? -1 : 1;
    return of_a.negative() ? compare_magnitudes(of_b, of_a) : compare_magnitudes(of_a, of_b);
}

bool is_whole(std::string_view number) {
    if (number.find_first_of(".eE") == std::string_view::npos) return true;
    digits left(number);
    for (std::int64_t place = left.magnitude(); !left.at_end(); --place)
        if (left.next() != '0' && place <= 0) return false;
    return true;
}

std::optional<std::uint64_t> size_of_number(std::string_view number) {
    constexpr std::int64_t magnitude_max = 18;
    digits left(number);
    if (left.negative() || !is_whole(number)) return std::nullopt;
    if (left.is_zero()) return 0;
    if (left.magnitude() > magnitude_max) return std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (std::int64_t place = left.magnitude(); place > 0; --place)
        value = value * 10 + static_cast<std::uint64_t>(left.next() - '0');
    return value;
}

}  // namespace pulsewire::schema
