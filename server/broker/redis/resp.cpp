#include "server/broker/redis/resp.hpp"

#include <hiredis/hiredis.h>

#include <new>
#include <vector>

namespace pulsewire::shell::redis {

// --- reply_view ---

bool reply_view::is_nil() const {
    return found_ == nullptr || found_->type == REDIS_REPLY_NIL;
}

bool reply_view::is_error() const {
    return found_ != nullptr && found_->type == REDIS_REPLY_ERROR;
}

bool reply_view::is_array() const {
    return found_ != nullptr && found_->type == REDIS_REPLY_ARRAY;
}

std::string_view reply_view::text() const {
    if (found_ == nullptr) return {};
    switch (found_->type) {
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
        case REDIS_REPLY_ERROR:
            return {found_->str, static_cast<std::size_t>(found_->len)};
        default:
            return {};
    }
}

std::int64_t reply_view::number() const {
    return found_ != nullptr && found_->type == REDIS_REPLY_INTEGER ? found_->integer : 0;
}

std::size_t reply_view::size() const {
    return is_array() ? found_->elements : 0;
}

reply_view reply_view::operator[](std::size_t index) const {
    return reply_view(index < size() ? found_->element[index] : nullptr);
}

// --- reply ---

void reply::release::operator()(redisReply* p) const {
    freeReplyObject(p);
}

// --- reply_reader ---

void reply_reader::release::operator()(redisReader* p) const {
    redisReaderFree(p);
}

reply_reader::reply_reader() : reader_(redisReaderCreate()) {
    if (!reader_) throw std::bad_alloc();
}

void reply_reader::feed(std::span<const char> bytes) {
    if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) failed_ = true;
}

std::optional<reply> reply_reader::next() {
    void* found = nullptr;
    if (failed_) return std::nullopt;
    if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK) {
        failed_ = true;
        return std::nullopt;
    }
    if (found == nullptr) return std::nullopt;
    return reply(static_cast<redisReply*>(found));
}

void append_command(std::string& out, std::span<const std::string_view> words) {
    std::vector<const char*> begins;
    std::vector<std::size_t> sizes;
    for (const auto word : words) {
        begins.push_back(word.data());
        sizes.push_back(word.size());
    }
    char* made = nullptr;
    const auto bytes =
        redisFormatCommandArgv(&made, static_cast<int>(words.size()), begins.data(), sizes.data());
    if (bytes < 0) throw std::bad_alloc();
    out.append(made, static_cast<std::size_t>(bytes));
    redisFreeCommand(made);
}

}  // namespace pulsewire::shell::redis
