#include "server/identity/tickets.hpp"

#include <utility>

namespace pulsewire::identity {

std::optional<tickets::refused> tickets::add(
    std::string_view name, std::string user, std::string token, std::int64_t now_ms
) {
    const auto key = token_cache::digest_of(name);
    const std::lock_guard lock(mutex_);
    forget_old(now_ms);
    if (!key || open_.size() >= most) return refused::too_many;
    // A name that is open already would be a broken source of random bits.
    if (open_.count(*key) != 0) return refused::too_many;
    std::size_t& of_user = of_user_[user];
    if (of_user >= most_of_user) return refused::too_many_of_user;
    ++of_user;
    const auto place = made_.insert(made_.end(), *key);
    open_.emplace(*key, entry{std::move(user), std::move(token), now_ms + lifetime_ms, place});
    return std::nullopt;
}

std::optional<std::string> tickets::take(std::string_view name, std::int64_t now_ms) {
    const auto key = token_cache::digest_of(name);
    if (!key) return std::nullopt;
    const std::lock_guard lock(mutex_);
    forget_old(now_ms);
    const auto found = open_.find(*key);
    if (found == open_.end()) return std::nullopt;
    std::string token = std::move(found->second.token);
    forget(found);
    return token;
}

// All live equally long, so the oldest end first.
void tickets::forget_old(std::int64_t now_ms) {
    while (!made_.empty()) {
        const auto oldest = open_.find(made_.front());
        if (now_ms < oldest->second.until_ms) return;
        forget(oldest);
    }
}

void tickets::forget(std::map<digest, entry>::iterator one) {
    const auto count = of_user_.find(one->second.user);
    if (--count->second == 0) of_user_.erase(count);
    made_.erase(one->second.place);
    open_.erase(one);
}

}  // namespace pulsewire::identity
