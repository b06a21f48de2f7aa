#include "server/care/backup.hpp"

#include "server/care/files.hpp"
#include "server/care/source.hpp"

#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace pulsewire::care {

backup_report back_up(const std::string& folder, const std::string& to, progress& on) {
    namespace fs = std::filesystem;
    backup_report report;
    const fs::path end = fs::absolute(to).lexically_normal();
    const std::string target = (end.has_filename() ? end : end.parent_path()).string();
    const std::string parent = fs::path(target).parent_path().string();
    const std::string part = target + ".part";
    make_empty_folder(target);
    // What an interrupted backup left.
    fs::remove_all(part);
    try {
        const source from(folder);
        report.of_running_server = from.is_of_running_server();
        make_empty_folder(part);
        const std::vector<std::string> names = data_files(from.folder());
        copy_files(from.folder(), names, part, on);
        report.bytes = bytes_of(part, names);
        report.copy = examine(part, on);
        move(part, target);
        sync_folder(parent);
    } catch (const std::exception&) {
        std::error_code ignored;
        fs::remove_all(part, ignored);
        fs::remove(target, ignored);  // only if it is empty
        throw;
    }
    return report;
}

}  // namespace pulsewire::care
