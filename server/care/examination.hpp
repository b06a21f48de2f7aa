#pragma once

// What a data folder has, and what of it is damaged or lost. In memory is something of each channel, as in
// the server itself, and never more than one publication.

#include "server/care/folder_reader.hpp"
#include "server/care/progress.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::care {

// A channel, as far as its rows can be read.
struct channel_facts {
    std::string epoch;  // of its own row, or else of its newest publication
    bool has_row = false;
    bool damaged = false;      // publications of it are lost or may be
    std::uint64_t head = 0;    // of its own row, or of its newest publication if that has a greater offset
    std::uint64_t newest = 0;  // offset; 0: none is kept
    std::uint64_t publications = 0;  // that are whole, under `epoch`
};

// The rows that belong to no channel; nothing where one is missing or damaged.
struct header_facts {
    std::optional<std::uint64_t> version, store_id, generation, secret_first, secret_second;
};

struct examination {
    header_facts header;
    std::map<std::string, channel_facts, std::less<>> channels;
    std::uint64_t publications = 0;
    std::uint64_t keys = 0;  // of publishes, that are remembered

    // Sentences without their ends: what is damaged, and then for each channel what of it is lost. The first
    // faults_max of them.
    std::vector<std::string> faults;
    std::uint64_t faults_left_out = 0;
    static constexpr std::size_t faults_max = 1'000;

    // Whether any channel may have lost something, also one of which nothing is left.
    bool any_channel = false;
    std::vector<lost_range> lost;
    // Whether the rows could be read. Otherwise only the faults say something.
    bool readable = true;

    // Of the list of revoked tokens, which a person has to mend; empty: none.
    std::string revocations_fault;

    bool is_whole() const { return faults.empty() && revocations_fault.empty(); }
    std::uint64_t damaged_channels() const;
    void add_fault(std::string sentence);
};

// Throws std::runtime_error with a sentence when another version of the server wrote the folder.
examination examine(const std::string& folder, progress& on);

// Whether a server ever used the folder.
bool has_database(const std::string& folder);

}  // namespace pulsewire::care
