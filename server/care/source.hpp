#pragma once

// The files that a command reads: those of a data folder that nobody uses, or else a copy that the server
// makes of them while it runs.

#include "server/storage/folder_lock.hpp"

#include <optional>
#include <string>

namespace pulsewire::care {

class source {
public:
    // Throws std::runtime_error with a sentence for the operator when there is no folder, or its server gives
    // none.
    explicit source(const std::string& folder);
    ~source();
    source(const source&) = delete;
    source& operator=(const source&) = delete;

    // Nobody changes or removes these files as long as this object lives.
    const std::string& folder() const { return folder_; }
    bool is_of_running_server() const { return !lock_; }

private:
    std::string folder_;
    std::optional<shell::folder_lock> lock_;
    int connection_ = -1;
};

// The lock of a folder that is there; nothing while a server uses it. Throws as above.
std::optional<shell::folder_lock> lock_existing(const std::string& folder);

}  // namespace pulsewire::care
