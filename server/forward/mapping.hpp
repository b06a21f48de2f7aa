#pragma once

// What a publication becomes at the destination, by the settings of its forward.

#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/forward/name_template.hpp"
#include "server/forward/publication.hpp"
#include "server/forward/record.hpp"

#include <string>

namespace pulsewire::shell::forward {

// The type of the record that says that publications are missing. It has no channel's type: types of
// Pulsewire's own begin so.
inline constexpr std::string_view gap_type = "pulsewire.gap";

class mapping {
public:
    // The error is a sentence for the operator: which setting is wrong, and what would be right.
    static result<mapping, std::string> read(const forward_settings& of);

    record record_of(publication&& what) const;

private:
    mapping() = default;

    name_template to_, key_;
    alphabet names_ = alphabet::any;
    bool is_whole_ = false;
};

}  // namespace pulsewire::shell::forward
