#pragma once

// Files and folders, copied, moved and synced, with a sentence for whatever fails.

#include "server/care/progress.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire::care {

// The names of the files of a data folder that a copy of it must have: no lock, no socket, and nothing in a
// folder inside it.
std::vector<std::string> data_files(const std::string& folder);
std::uint64_t bytes_of(const std::string& folder, const std::vector<std::string>& names);

// Copies them into an existing folder, with mode 0600, and returns when they would survive a loss of power.
// Throws std::runtime_error with a sentence.
void copy_files(
    const std::string& from, const std::vector<std::string>& names, const std::string& to, progress& on
);
// For the user of the process alone. Throws as above, also when it is there already and not empty.
void make_empty_folder(const std::string& path);
// Moves a file or folder. Throws as above.
void move(const std::string& from, const std::string& to);
// Gives a file, or a folder with all that it has, to the owner of `folder`, where root works for somebody
// else. Throws as above.
void give_to_owner_of(const std::string& folder, const std::string& path);
// What was made, moved and removed in the folder survives a loss of power. Throws as above.
void sync_folder(const std::string& path);

}  // namespace pulsewire::care
