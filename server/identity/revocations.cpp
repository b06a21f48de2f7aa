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
    : path_(folder.empty() ? std::string() : std::move(folder) + "/" + file_name),
      lifetime_max_ms_(lifetime_max_ms) {
    if (path_.empty() || !std::filesystem::exists(path_)) return;
    std::ifstream file(path_, std::ios::binary);
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
        try {
            read_line(line, kept_);
        } catch (const json::exception&) {
            // A token that was revoked must not come back because of a damaged line.
            throw std::runtime_error(
                "the list of revoked tokens " + path_ + " is damaged in its line " + std::to_string(number) +
                ". Mend the line, or remove the file if none of those tokens can do harm any more"
            );
        }
    }
    if (!file.eof()) throw std::runtime_error("the list of revoked tokens " + path_ + " cannot be read");
    forget_old(kept_, wall_ms);
}

void revocations::read_line(const std::string& line, lists& into) {
    const json read = json::parse(line);
    const auto before_ms = read.at("issued_before_ms").get<std::int64_t>();
    if (const auto user = read.find("user"); user != read.end()) {
        into.users[user->get<std::string>()] = before_ms;
    } else if (const auto token = read.find("token_id"); token != read.end()) {
        into.tokens[token->get<std::string>()] = before_ms;
    } else {
        into.everybody_ms = read.at("all").is_string() ? before_ms : 0;
    }
}

// The disk works on a copy, so that whoever shows a token meanwhile does not wait for it.
bool revocations::add(const hub::revoke& what, std::int64_t wall_ms) {
    const std::lock_guard one_at_a_time(writing_);
    lists next;
    {
        const std::lock_guard lock(mutex_);
        next = kept_;
    }
    forget_old(next, wall_ms);
    std::int64_t& before_ms = !what.user.empty()       ? next.users[what.user]
                              : !what.token_id.empty() ? next.tokens[what.token_id]
                                                       : next.everybody_ms;
    before_ms = std::max(before_ms, what.issued_before_ms);
    if (next.users.size() + next.tokens.size() > most || !write(next)) return false;
    const std::lock_guard lock(mutex_);
    kept_ = std::move(next);
    return true;
}

bool revocations::concern(const access::principal& who) const {
    const std::lock_guard lock(mutex_);
    const auto is_in = [&](const times& list, std::string_view name) {
        const auto found = list.find(name);
        return found != list.end() && who.issued_ms < found->second;
    };
    return who.issued_ms < kept_.everybody_ms || is_in(kept_.users, who.user) ||
           (!who.token_id.empty() && is_in(kept_.tokens, who.token_id));
}

// Every token that was issued before has expired.
void revocations::forget_old(lists& from, std::int64_t wall_ms) const {
    const auto is_old = [&](std::int64_t before_ms) { return before_ms + lifetime_max_ms_ < wall_ms; };
    for (times* list : {&from.users, &from.tokens})
        std::erase_if(*list, [&](const auto& one) { return is_old(one.second); });
    if (is_old(from.everybody_ms)) from.everybody_ms = 0;
}

bool revocations::write(const lists& all) const {
    if (path_.empty()) return true;
    std::string text;
    for (const auto& [user, before_ms] : all.users) text += line_of("user", user, before_ms);
    for (const auto& [token, before_ms] : all.tokens) text += line_of("token_id", token, before_ms);
    if (all.everybody_ms != 0) text += line_of("all", "", all.everybody_ms);
    if (replace_file(path_, text)) return true;
    log::error("the list of revoked tokens ", path_, " cannot be written");
    return false;
}

}  // namespace pulsewire::identity
