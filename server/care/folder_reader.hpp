#pragma once

// Reads the rows of a data folder that may be damaged, past what cannot be read, and changes nothing.
// Precondition of everything here: no server uses the folder meanwhile.

#include "server/care/progress.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class DB;
}

namespace pulsewire::care {

// Rows may be missing whose keys are between these two.
struct lost_range {
    std::string after, before;
    // Whether one of them could be a row from `first` to `last`.
    bool has_part_of(std::string_view first, std::string_view last) const {
        return first < before && last > after;
    }
};

// Greater than the key of every row.
inline constexpr std::string_view beyond_all = "\xff";

// A file of rows that cannot be read, as a whole or in parts.
struct file_fault {
    std::string sentence;
    lost_range rows;  // all that it has
};

class folder_reader {
public:
    // How much of the folder can be read.
    enum class access {
        rows,         // every row that is whole
        no_end,       // the same, but the write-ahead log is damaged or a part of it missing
        unknown_end,  // the same, and nobody knows whether the log is
        some_files    // nothing before repair has made a new list of the files
    };

    explicit folder_reader(const std::string& folder);
    ~folder_reader();

    access can_read() const { return access_; }
    // Why it is not `rows`, as RocksDB says it.
    const std::string& fault() const { return fault_; }
    // Whether the list of the files could be read. Otherwise it is not known which rows there have to be.
    bool knows_files() const { return db_ != nullptr; }
    // Reads all files of rows, and returns those with damage. Precondition: knows_files().
    std::vector<file_fault> check_files(progress& on) const;
    // server/storage/unlisted_files.hpp. Precondition: knows_files().
    std::optional<std::string> file_lost_by_list() const;
    // Bytes of all these files.
    std::uint64_t bytes() const;

    // Calls `row(key, value)` for all rows in the order of their keys, and in between `lost` for those that
    // cannot be read. False: so much is damaged that it gave up. Precondition: knows_files().
    bool each_row(
        progress& on, const std::function<void(std::string_view key, std::string_view value)>& row,
        const std::function<void(lost_range)>& lost
    ) const;

private:
    std::string folder_;
    std::unique_ptr<rocksdb::DB> db_;
    access access_ = access::rows;
    std::string fault_;
};

}  // namespace pulsewire::care
