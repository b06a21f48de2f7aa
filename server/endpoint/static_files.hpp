#pragma once

// Files below one folder. A path is walked one name at a time without following symbolic links, so no request
// leaves the folder, whatever it says.

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::shell {

// An open file; closes it at its end.
class open_file {
public:
    explicit open_file(int descriptor) : descriptor_(descriptor) {}
    ~open_file();
    open_file(open_file&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
    open_file& operator=(open_file&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

    int descriptor() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }

private:
    int descriptor_;
};

// A file on its way out: the head of the answer, then `left` bytes of the file.
struct static_file {
    response head;
    open_file file;
    std::uint64_t at = 0;
    std::uint64_t left = 0;

    // Appends the next piece, at most `bytes_max`. False when the file became shorter than it was.
    bool read_piece(std::string& out, std::size_t bytes_max);
};

struct found_file {
    std::optional<static_file> file;  // or an answer without one: 304, 308, 404
    response other;
};

// For GET and HEAD. Prefers a sibling with .br or .gz behind its name where the client takes it. Pages may
// connect to `other_server`, too: the address of a setting, or empty.
found_file find_static_file(const std::string& root, const request& r, std::string_view other_server);

}  // namespace pulsewire::shell
