#pragma once

// Writes a data folder row by row: for a repair and for an import. What is there after finish() is a folder
// that a server opens.

#include "server/care/examination.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::care {

class new_store {
public:
    // Makes the folder; it must not be there. Here and below std::runtime_error with a sentence when the disk
    // fails.
    explicit new_store(const std::string& folder);
    ~new_store();
    new_store(const new_store&) = delete;
    new_store& operator=(const new_store&) = delete;

    // What `header` lacks is drawn.
    void put_header(const header_facts& header);
    void put(std::string_view key, std::string_view value);
    // Everything is on the disk.
    void finish();

private:
    struct parts;
    void write();

    std::unique_ptr<parts> parts_;
};

}  // namespace pulsewire::care
