#pragma once

// The places of a forward in a file of the data folder: one line for each time that one moved, the newest of
// a channel counts. What a loss of power takes of it is forwarded again; it is never ahead of what the
// destination has acknowledged.

#include "common/base/result.hpp"
#include "server/forward/forwarder.hpp"

#include <cstddef>
#include <string>

namespace pulsewire::shell::forward {

class place_file {
public:
    // Reads what is there; a line that was cut is passed over. The error is a sentence for the operator.
    static result<place_file, std::string> open(std::string path);
    place_file(place_file&& other) noexcept;
    place_file& operator=(place_file&&) = delete;
    ~place_file();

    // What was read, once.
    places take_read() { return std::move(read_); }
    // Writes the file anew, with these places alone, when it has grown to several times their size. Empty,
    // or why the disk does not take it: then the lines are kept nowhere.
    std::string add(const places& moved, const places& all);

private:
    explicit place_file(std::string path) : path_(std::move(path)) {}
    std::string rewrite(const places& all);

    std::string path_;
    places read_;
    int file_ = -1;
    std::size_t bytes_ = 0;         // of the file
    std::size_t bytes_of_all_ = 0;  // ... when it was written anew
};

}  // namespace pulsewire::shell::forward
