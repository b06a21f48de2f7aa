#include "common/access/principal.hpp"

#include "common/access/pattern.hpp"
#include "common/protocol/names.hpp"

namespace pulsewire::access {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";
constexpr name_characters plain("_-.");  // and '=' for the others: user_characters

bool owns(std::string_view user, std::string_view channel) {
    (void)take_segment(channel);
    return !user.empty() && take_segment(channel) == user;
}

}  // namespace

operations permitted(const principal* who, std::string_view channel, const access_rules& rules) {
    if (who != nullptr && who->is_program) return who->allowed.on(channel, {});
    operations sum = rules.anonymous;
    if (who == nullptr || sum == operations::all()) return sum;
    if (!who->user.empty()) sum |= rules.users;
    if (owns(who->user, channel)) sum |= rules.owner;
    return sum | who->allowed.on(channel, who->user);
}

std::string wire_name_of(std::string_view user) {
    std::string name;
    for (const char c : user) {
        if (plain.has(c)) {
            name += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            name += {'=', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return name;
}

std::string user_named(std::string_view wire_name) {
    std::string user;
    for (std::size_t i = 0; i < wire_name.size(); ++i) {
        if (wire_name[i] != '=') {
            user += wire_name[i];
            continue;
        }
        const std::size_t high = i + 2 < wire_name.size() ? digits.find(wire_name[i + 1]) : std::string::npos;
        const std::size_t low = high != std::string::npos ? digits.find(wire_name[i + 2]) : std::string::npos;
        if (low == std::string::npos) return {};
        user += static_cast<char>(high << 4 | low);
        i += 2;
    }
    // Other spellings of the same name would not be the user's.
    return wire_name_of(user) == wire_name ? user : std::string();
}

}  // namespace pulsewire::access
