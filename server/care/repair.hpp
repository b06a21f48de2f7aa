#pragma once

// Makes a data folder of what is whole in a damaged one. A channel of which something is lost gets a new
// epoch, so that its clients are told; what is whole of its history stays, in its order. The damaged files
// are kept.
//
// It works in a folder inside the data folder, and exchanges the files when all of the new ones are on the
// disk. A repair that is interrupted before has changed nothing, one that is interrupted later is finished by
// the next.

#include "server/care/progress.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire::care {

struct repaired {
    // Whether there was anything to do; otherwise nothing was changed, and the rest is empty.
    bool was_changed = false;
    bool was_finished = false;  // an earlier repair was
    std::vector<std::string> faults;
    std::uint64_t faults_left_out = 0;
    std::uint64_t channels = 0, publications = 0;                  // all that are there now
    std::uint64_t renewed_channels = 0, renewed_publications = 0;  // of them, those with new epochs
    std::uint64_t forgotten_keys = 0;
    std::string damaged_files;      // the folder where they are
    std::string revocations_fault;  // not repaired
};

// `only_damaged`: the channels that have lost something; `all`: every channel, although it is whole.
enum class new_epochs { only_damaged, all };

// Throws std::runtime_error with a sentence, and then the folder is as it was. Precondition: nobody else uses
// it.
repaired repair(const std::string& folder, new_epochs which, std::int64_t wall_ms, progress& on);

}  // namespace pulsewire::care
