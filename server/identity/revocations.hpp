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

    // From any thread; waits for the disk. False when there are too many or the disk fails, and then nothing
    // has changed. `what` names a user or a token or neither, not both.
    bool add(const hub::revoke& what, std::int64_t wall_ms);
    // From any thread; never waits for the disk.
    bool concern(const access::principal& who) const;

    static constexpr std::size_t most = 100'000;
    // In the data folder.
    static constexpr const char* file_name = "revocations";

private:
    // The time before which tokens were issued that count no more, by user or by token.
    using times = std::map<std::string, std::int64_t, std::less<>>;
    struct lists {
        times users, tokens;
        std::int64_t everybody_ms = 0;
    };
    static void read_line(const std::string& line, lists& into);
    void forget_old(lists& from, std::int64_t wall_ms) const;
    bool write(const lists& all) const;

    std::string path_;
    std::int64_t lifetime_max_ms_;
    std::mutex writing_;        // held for as long as the disk takes, by the one who adds
    mutable std::mutex mutex_;  // for `kept_`, held for moments
    lists kept_;
};

}  // namespace pulsewire::identity
