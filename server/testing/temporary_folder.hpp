#pragma once

// A folder that is gone after the test.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace pulsewire::testing {

class temporary_folder {
public:
    temporary_folder() {
        // In memory where there is such a place: the tests' many fsyncs need no disk.
        std::error_code none;
        const auto memory = std::filesystem::path("/dev/shm");
        const auto parent =
            std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path();
        std::string pattern = (parent / "pulsewire-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = pattern;
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace pulsewire::testing
