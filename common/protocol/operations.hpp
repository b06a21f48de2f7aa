#pragma once

// The operations on a channel that can be permitted (docs/protocol.md 1.6), and sets of them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pulsewire {

enum class operation : std::uint8_t {
    subscribe,  // get what is published from now on, and recover what was missed a moment ago
    history,    // read what was published before
    publish,
    presence,  // see who is there
    show,      // be listed there
    request,   // ask the others
    respond,   // be asked by them
    snapshot,  // say what the state of the channel is (4.29)
};

inline constexpr std::string_view operation_names[] = {"subscribe", "history", "publish", "presence",
                                                       "show",      "request", "respond", "snapshot"};
inline constexpr std::size_t operation_count = std::size(operation_names);

constexpr std::string_view name_of(operation o) {
    return operation_names[static_cast<std::size_t>(o)];
}

constexpr std::optional<operation> operation_named(std::string_view name) {
    for (std::size_t i = 0; i < operation_count; ++i)
        if (operation_names[i] == name) return static_cast<operation>(i);
    return std::nullopt;
}

class operations {
public:
    constexpr operations() = default;  // none
    constexpr operations(operation one)
        : bits_(static_cast<std::uint8_t>(1U << static_cast<unsigned>(one))) {}
    static constexpr operations all() { return operations(std::uint8_t{(1U << operation_count) - 1}); }

    constexpr bool has(operation one) const { return (bits_ & operations(one).bits_) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr operations& operator|=(operations others) {
        bits_ |= others.bits_;
        return *this;
    }
    friend constexpr operations operator|(operations a, operations b) { return a |= b; }
    friend constexpr operations operator&(operations a, operations b) {
        return operations(static_cast<std::uint8_t>(a.bits_ & b.bits_));
    }
    friend constexpr bool operator==(operations, operations) = default;

private:
    constexpr explicit operations(std::uint8_t bits) : bits_(bits) {}

    std::uint8_t bits_ = 0;
};

// The permissions that a namespace gives by itself; a token can only add to them. The default is everything
// to everybody, which the server replaces by nothing where it can ask who somebody is.
struct access_rules {
    operations anonymous = operations::all();  // to everybody
    operations users = operations::all();      // to everybody who has shown a token
    operations owner = operations::all();      // to the user whose name is the channel's second segment

    friend constexpr bool operator==(const access_rules&, const access_rules&) = default;
    static constexpr access_rules none() { return {operations(), operations(), operations()}; }
};

}  // namespace pulsewire
