#pragma once

// Sees everything that happens in a run and says what must not have happened: the promises P1 to P4 and P7 of
// the design from the outside. The first fault is kept.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::sim {

struct publication {
    std::string payload;  // unique in the run
    std::string except;   // a session that does not show it; empty: none
};

// What one subscription of one client knows.
struct view {
    bool told = false;  // has a position
    std::string epoch;
    std::uint64_t offset = 0;
};

class witness {
public:
    const std::string& fault() const { return fault_; }
    void blame(const std::string& what) {
        if (fault_.empty()) fault_ = what;
    }

    // --- the truth, told by the owner of the channel ---

    void server_starts() { ++life_; }
    void ordered(const std::string& channel, const std::string& epoch, std::uint64_t offset, publication p);
    // The number of publications that the channel ever had under this epoch.
    std::uint64_t head(const std::string& channel, const std::string& epoch) const;

    // --- what clients are told ---

    void acknowledged(
        const std::string& channel, const std::string& epoch, std::uint64_t offset, const std::string& payload
    );
    // A subscription began, or was recovered, or was told that it could not be.
    void subscribed(
        const std::string& session, const std::string& channel, view& v, bool recovered,
        std::string_view epoch, std::uint64_t offset
    );
    void delivered(
        const std::string& session, const std::string& channel, view& v, std::uint64_t offset,
        std::string_view payload
    );
    void delivered_transient(const std::string& session, std::string_view payload);
    // The application was asked.
    void requested(const std::string& payload);
    // Nothing is on its way any more: the view must have come to the head.
    void complete(const std::string& session, const std::string& channel, const view& v);

private:
    using log = std::vector<publication>;

    // Whether everything after the view's position up to `offset` was not for this session.
    bool may_skip_to(
        const std::string& session, const std::string& channel, const view& v, std::uint64_t offset
    ) const;
    const log* find(const std::string& channel, const std::string& epoch) const;

    std::string fault_;
    int life_ = 0;
    std::map<std::pair<std::string, std::string>, log> logs_;  // by channel and epoch
    std::set<std::pair<int, std::string>> payloads_;           // by life of the server
    std::set<std::string> once_;                               // what must not happen again
};

}  // namespace pulsewire::sim
