#pragma once

// Who may use a data folder: one server at a time. A file in the folder is locked; the kernel unlocks it when
// the process ends, however that happens.

#include <optional>
#include <string>

namespace pulsewire::shell {

class folder_lock {
public:
    // Makes the folder where it is missing. Nothing when another server has it. Throws std::runtime_error
    // with a sentence for the operator when it cannot be used at all.
    static std::optional<folder_lock> try_to_take(const std::string& folder);
    ~folder_lock();
    folder_lock(folder_lock&& other) noexcept;
    folder_lock& operator=(folder_lock&& other) noexcept;

private:
    explicit folder_lock(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
};

}  // namespace pulsewire::shell
