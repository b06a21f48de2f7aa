#include "common/schema/types.hpp"

#include "common/base/payload_kind.hpp"

#include <utility>

namespace pulsewire::schema {

void types::add(std::string type, entry one) {
    entries_.insert_or_assign(std::move(type), std::move(one));
}

types::entry types::bytes() {
    return {*checker::compile("{}"), "\"binary\"", {}, true};
}

std::optional<payload_error> types::check(std::string_view type, std::string_view payload, bool binary)
    const {
    const auto found = entries_.find(type);
    if (found == entries_.end()) return std::nullopt;
    if (auto wrong = other_kind(type, found->second.binary, binary)) return wrong;
    if (binary) return std::nullopt;
    auto wrong = found->second.rules.check(payload);
    if (wrong) wrong->type = type;
    return wrong;
}

}  // namespace pulsewire::schema
