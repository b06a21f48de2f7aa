#include "server/identity/revocations.hpp"

#include "server/log.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace pulsewire::identity {
namespace {

using json = nlohmann::json;

std::string line_of(std::string_view kind, std::string_view name, std::int64_t before_ms) {
    return json{{std::string(kind), name}, {"issued_before_ms", before_ms}}.dump() + "\n";
}

// All of it or nothing, whatever happens to the machine meanwhile.
bool replace_file(const std::string& path, const std::string& text) {
    const std::string fresh = path + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return false;
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t wrote = ::write(file, text.data() + done, text.size() - done);
        if (wrote <= 0) break;
        done += static_cast<std::size_t>(wrote);
    }
    const bool synced = done == text.size() && ::fsync(file) == 0;
    ::close(file);
    if (!synced || std::rename(fresh.c_str(), path.c_str()) != 0) return false;
    const int folder =
        ::open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool kept = folder >= 0 && ::fsync(folder) == 0;
    if (folder >= 0) ::close(folder);
    return kept;
}

}  // namespace

revocations::revocations(std::string folder, std::int64_t lifetime_max_ms, std::int64_t wall_ms)
    : path_(folder.empty() ? std::string() : std::move(folder) + "/revocations"),
      lifetime_max_ms_(lifetime_max_ms) {
    if (path_.empty() || !std::filesystem::exists(path_)) return;
    std::ifstream file(path_, std::ios::binary);
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        try {
            read_line(line);
        } catch (const json::exception&) {
            // A token that was revoked must not come back because of a damaged line.
            throw std::runtime_error(
                "the list of revoked tokens " + path_ + " is damaged in its line " + std::to_string(number) +
                ". Mend the line, or remove the file if none of those tokens can do harm any more"
            );
        }
    }
    if (!file.eof()) throw std::runtime_error("the list of revoked tokens " + path_ + " cannot be read");
    forget_old(wall_ms);
}

void revocations::read_line(const std::string& line) {
    const json read = json::parse(line);
    const auto before_ms = read.at("issued_before_ms").get<std::int64_t>();
    if (const auto user = read.find("user"); user != read.end()) {
        users_[user->get<std::string>()] = before_ms;
    } else if (const auto token = read.find("token_id"); token != read.end()) {
        tokens_[token->get<std::string>()] = before_ms;
    } else {
        everybody_ms_ = read.at("all").is_string() ? before_ms : 0;
    }
}

bool revocations::add(const hub::revoke& what, std::int64_t wall_ms) {
    const std::lock_guard lock(mutex_);
    forget_old(wall_ms);
    std::int64_t& before_ms = !what.user.empty()       ? users_[what.user]
                              : !what.token_id.empty() ? tokens_[what.token_id]
                                                       : everybody_ms_;
    const std::int64_t as_it_was_ms = std::exchange(before_ms, std::max(before_ms, what.issued_before_ms));
    if (count() <= most && write_all()) return true;
    before_ms = as_it_was_ms;
    forget_old(wall_ms);  // an entry that is new stands for nothing now
    return false;
}

bool revocations::concern(const access::principal& who) const {
    const std::lock_guard lock(mutex_);
    const auto is_in = [&](const times& list, std::string_view name) {
        const auto found = list.find(name);
        return found != list.end() && who.issued_ms < found->second;
    };
    return who.issued_ms < everybody_ms_ || is_in(users_, who.user) ||
           (!who.token_id.empty() && is_in(tokens_, who.token_id));
}

// Every token that was issued before has expired.
void revocations::forget_old(std::int64_t wall_ms) {
    const auto is_old = [&](std::int64_t before_ms) { return before_ms + lifetime_max_ms_ < wall_ms; };
    for (times* list : {&users_, &tokens_})
        std::erase_if(*list, [&](const auto& one) { return is_old(one.second); });
    if (is_old(everybody_ms_)) everybody_ms_ = 0;
}

bool revocations::write_all() const {
    if (path_.empty()) return true;
    std::string text;
    for (const auto& [user, before_ms] : users_) text += line_of("user", user, before_ms);
    for (const auto& [token, before_ms] : tokens_) text += line_of("token_id", token, before_ms);
    if (everybody_ms_ != 0) text += line_of("all", "", everybody_ms_);
    if (replace_file(path_, text)) return true;
    log::error("the list of revoked tokens ", path_, " cannot be written");
    return false;
}

}  // namespace pulsewire::identity
