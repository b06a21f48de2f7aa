#pragma once

// Tokens that are worth nothing any more, although their signatures are good. Kept as long as such a token
// could live, in the data folder where there is one.

#include "common/access/principal.hpp"
#include "common/exchange/to_session.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace pulsewire::identity {

class revocations {
public:
    // Of tokens that live `lifetime_max_ms` at most. `folder` is the data folder; empty: kept in memory.
    // Throws std::runtime_error with a sentence for the operator when the file there cannot be read.
    revocations(std::string folder, std::int64_t lifetime_max_ms, std::int64_t wall_ms);

    // From any thread. False when there are too many or the disk fails, and then nothing has changed.
    // `what` names a user or a token or neither, not both.
    bool add(const hub::revoke& what, std::int64_t wall_ms);
    bool concern(const access::principal& who) const;

    static constexpr std::size_t most = 100'000;

private:
    // The time before which tokens were issued that count no more, by user or by token.
    using times = std::map<std::string, std::int64_t, std::less<>>;
    std::size_t count() const { return users_.size() + tokens_.size(); }
    void read_line(const std::string& line);
    void forget_old(std::int64_t wall_ms);
    bool write_all() const;

    std::string path_;
    std::int64_t lifetime_max_ms_;
    mutable std::mutex mutex_;
    times users_, tokens_;
    std::int64_t everybody_ms_ = 0;
};

}  // namespace pulsewire::identity
