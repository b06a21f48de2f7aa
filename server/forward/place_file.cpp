#include "server/forward/place_file.hpp"

#include "common/protocol/line_writer.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace pulsewire::shell::forward {
namespace {

using nlohmann::json;

// A file that is smaller is not written anew.
constexpr std::size_t small_bytes = std::size_t{1} << 20;

std::string fault(const std::string& path, int error) {
    return "the places of a forward cannot be kept in " + path + ": " +
           std::generic_category().message(error);
}

void append_line(std::string& to, const std::string& channel, const place& at) {
    line_writer w(to);
    w.text("channel", channel).text("epoch", at.epoch).number("offset", at.offset).end();
    to += '\n';
}

// -1 with errno where not all could be written.
int write_all(int file, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t done = ::write(file, text.data() + at, text.size() - at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return -1;
        at += static_cast<std::size_t>(done);
    }
    return 0;
}

}  // namespace

result<place_file, std::string> place_file::open(std::string path) {
    place_file made(std::move(path));
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(made.path_).parent_path(), error);
    if (error) return failure(fault(made.path_, error.value()));
    std::ifstream file(made.path_);
    for (std::string line; std::getline(file, line);) {
        const json read = json::parse(line, nullptr, false);
        if (!read.is_object() || !read.contains("channel") || !read["channel"].is_string()) continue;
        if (!read.contains("epoch") || !read["epoch"].is_string()) continue;
        if (!read.contains("offset") || !read["offset"].is_number_unsigned()) continue;
        made.read_[read["channel"].get<std::string>()] = {
            read["epoch"].get<std::string>(), read["offset"].get<std::uint64_t>()};
    }
    if (std::string why = made.rewrite(made.read_); !why.empty()) return failure(std::move(why));
    return made;
}

place_file::place_file(place_file&& other) noexcept
    : path_(std::move(other.path_)),
      read_(std::move(other.read_)),
      file_(std::exchange(other.file_, -1)),
      bytes_(other.bytes_),
      bytes_of_all_(other.bytes_of_all_) {}

place_file::~place_file() {
    if (file_ >= 0) ::close(file_);
}

std::string place_file::add(const places& moved, const places& all) {
    if (bytes_ > small_bytes && bytes_ > 4 * bytes_of_all_) return rewrite(all);
    std::string text;
    for (const auto& [channel, at] : moved) append_line(text, channel, at);
    if (write_all(file_, text) != 0) {
        const int error = errno;
        // So that what comes later is no part of a line that was cut.
        static_cast<void>(::write(file_, "\n", 1));
        return fault(path_, error);
    }
    bytes_ += text.size();
    return {};
}

// Beside the old one, and then in its place: at every moment there is a whole one.
std::string place_file::rewrite(const places& all) {
    std::string text;
    for (const auto& [channel, at] : all) append_line(text, channel, at);
    const std::string fresh = path_ + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return fault(fresh, errno);
    if (write_all(file, text) != 0 || ::fsync(file) != 0 || ::rename(fresh.c_str(), path_.c_str()) != 0) {
        const int error = errno;
        ::close(file);
        return fault(path_, error);
    }
    if (file_ >= 0) ::close(file_);
    file_ = file;
    bytes_ = bytes_of_all_ = text.size();
    return {};
}

}  // namespace pulsewire::shell::forward
