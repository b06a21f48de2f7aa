#pragma once

// Copies a data folder, also while its server runs.

#include "server/care/examination.hpp"
#include "server/care/progress.hpp"

#include <cstdint>
#include <string>

namespace pulsewire::care {

struct backup_report {
    bool of_running_server = false;
    std::uint64_t bytes = 0;
    examination copy;  // of what was copied, read again
};

// Makes the folder `to`, which is complete when it is there under that name. Throws std::runtime_error with a
// sentence, and then it is not there.
backup_report back_up(const std::string& folder, const std::string& to, progress& on);

}  // namespace pulsewire::care
