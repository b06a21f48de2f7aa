#pragma once

// The right to use a data folder, which one server has at a time. A file in the folder is locked; the kernel
// unlocks it at any end of the process.

#include <optional>
#include <string>

namespace pulsewire::shell {

class folder_lock {
public:
    // Makes the folder if it is missing. Returns nothing when another server has the lock. Throws
    // std::runtime_error with a sentence for the operator when the folder cannot be used at all.
    static std::optional<folder_lock> try_to_take(const std::string& folder);
    ~folder_lock();
    folder_lock(folder_lock&& other) noexcept;
    folder_lock& operator=(folder_lock&& other) noexcept;

private:
    explicit folder_lock(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
};

}  // namespace pulsewire::shell
