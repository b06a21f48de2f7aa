#pragma once

// What a token permits: operations by patterns of channels. Grants only add; their order means nothing.

#include "common/base/result.hpp"
#include "common/protocol/operations.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::access {

inline constexpr std::size_t grants_max = 64;

class grants {
public:
    grants() = default;  // none

    // Reads {"chat:**": ["subscribe", "publish"], …}. An unknown operation, a wrong pattern or anything else
    // that is not exactly this is an error, a sentence for the operator: a slip of the pen must not look like
    // a permission that is missing for other reasons.
    static result<grants, std::string> parse(std::string_view json);
    // Adds to what is there; an error is as above.
    [[nodiscard]] std::string add(std::string_view pattern, operations what);

    // All operations that any pattern permits on the channel. `user` is the name on the wire, which "{user}"
    // stands for.
    operations on(std::string_view channel, std::string_view user) const;
    bool empty() const { return list_.empty(); }

private:
    struct grant {
        std::string pattern;
        operations what;
    };
    std::vector<grant> list_;
};

// Reads ["subscribe", "publish"]; an error is a sentence for the operator.
result<operations, std::string> parse_operations(std::string_view json);

}  // namespace pulsewire::access
