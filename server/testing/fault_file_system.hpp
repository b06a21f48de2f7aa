#pragma once

// A file system that fails at a chosen operation, and one that a power cut can hit: what was not synced is
// lost, or written in part. Below the store stands the real disk.

#include "common/base/random.hpp"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace pulsewire::testing {

class fault_file_system : public rocksdb::FileSystemWrapper {
public:
    enum class fault { none, io_error, no_space, power_cut };

    fault_file_system() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
    const char* Name() const override { return "fault_file_system"; }

    // The operation number `at` (from 1) that changes the disk fails, and with no_space and power_cut all
    // that follow, until heal().
    void fail(fault what, std::uint64_t at) {
        const std::lock_guard held(lock_);
        what_ = what;
        at_ = at;
    }
    void heal() { fail(fault::none, 0); }
    std::uint64_t operations() const {
        const std::lock_guard held(lock_);
        return operations_;
    }

    enum class tail { lost, cut_anywhere, pages_missing };
    // After the store is closed: what was never synced goes the way of `how`.
    void lose_unsynced(tail how, std::uint64_t& random) {
        for (const auto& [name, file] : files_) {
            if (!std::filesystem::exists(name)) continue;
            const std::uint64_t written = std::filesystem::file_size(name);
            const std::uint64_t synced = std::min<std::uint64_t>(file.synced, written);
            std::uint64_t kept = synced;
            if (how == tail::cut_anywhere)
                kept += next_random(random, static_cast<std::uint32_t>(written - synced + 1));
            if (how == tail::pages_missing) {
                kept = written;
                std::fstream content(name, std::ios::in | std::ios::out | std::ios::binary);
                for (std::uint64_t at = synced; at < written; ++at) {
                    const std::uint64_t page_end = std::min(written, (at / 512 + 1) * 512);
                    if (next_random(random, 2) == 0) {
                        content.seekp(static_cast<std::streamoff>(at));
                        content << std::string(page_end - at, '\0');
                    }
                    at = page_end - 1;
                }
            }
            std::filesystem::resize_file(name, kept);
        }
    }

    rocksdb::IOStatus NewWritableFile(
        const std::string& name, const rocksdb::FileOptions& options,
        std::unique_ptr<rocksdb::FSWritableFile>* result, rocksdb::IODebugContext* debug
    ) override {
        if (auto s = next(); !s.ok()) return s;
        auto s = target()->NewWritableFile(name, options, result, debug);
        if (!s.ok()) return s;
        const std::lock_guard held(lock_);
        files_[name] = {};
        *result = std::make_unique<writable>(*this, name, std::move(*result));
        return s;
    }
    rocksdb::IOStatus ReuseWritableFile(
        const std::string& name, const std::string& old_name, const rocksdb::FileOptions& options,
        std::unique_ptr<rocksdb::FSWritableFile>* result, rocksdb::IODebugContext* debug
    ) override {
        if (auto s = RenameFile(old_name, name, options.io_options, debug); !s.ok()) return s;
        return NewWritableFile(name, options, result, debug);
    }
    rocksdb::IOStatus RenameFile(
        const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
        rocksdb::IODebugContext* debug
    ) override {
        if (auto s = next(); !s.ok()) return s;
        auto s = target()->RenameFile(from, to, options, debug);
        const std::lock_guard held(lock_);
        if (auto moved = files_.extract(from); s.ok() && !moved.empty()) files_[to] = moved.mapped();
        return s;
    }
    rocksdb::IOStatus DeleteFile(
        const std::string& name, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug
    ) override {
        if (auto s = next(); !s.ok()) return s;
        return target()->DeleteFile(name, options, debug);
    }

private:
    struct file {
        std::uint64_t written = 0;
        std::uint64_t synced = 0;
    };

    class writable : public rocksdb::FSWritableFileOwnerWrapper {
    public:
        writable(fault_file_system& home, std::string name, std::unique_ptr<rocksdb::FSWritableFile>&& target)
            : FSWritableFileOwnerWrapper(std::move(target)), home_(home), name_(std::move(name)) {}

        using FSWritableFileOwnerWrapper::Append;
        rocksdb::IOStatus Append(
            const rocksdb::Slice& data, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug
        ) override {
            if (auto s = home_.next(); !s.ok()) return s;
            auto s = FSWritableFileOwnerWrapper::Append(data, options, debug);
            const std::lock_guard held(home_.lock_);
            if (s.ok()) home_.files_[name_].written += data.size();
            return s;
        }
        rocksdb::IOStatus Append(
            const rocksdb::Slice& data, const rocksdb::IOOptions& options,
            const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug
        ) override {
            return Append(data, options, debug);
        }
        rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
            return synced(FSWritableFileOwnerWrapper::Sync(options, debug));
        }
        rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
            return synced(FSWritableFileOwnerWrapper::Fsync(options, debug));
        }
        rocksdb::IOStatus
        RangeSync(std::uint64_t, std::uint64_t, const rocksdb::IOOptions&, rocksdb::IODebugContext*)
            override {
            return rocksdb::IOStatus::OK();
        }

    private:
        rocksdb::IOStatus synced(rocksdb::IOStatus s) {
            if (auto failed = home_.next(); !failed.ok()) return failed;
            const std::lock_guard held(home_.lock_);
            if (s.ok()) home_.files_[name_].synced = home_.files_[name_].written;
            return s;
        }
        fault_file_system& home_;
        std::string name_;
    };

    // The outcome of the operation that is about to happen.
    rocksdb::IOStatus next() {
        const std::lock_guard held(lock_);
        ++operations_;
        if (what_ == fault::none || operations_ < at_) return rocksdb::IOStatus::OK();
        if (what_ == fault::no_space) return rocksdb::IOStatus::NoSpace("no space left on device (injected)");
        if (what_ == fault::io_error && operations_ > at_) return rocksdb::IOStatus::OK();
        return rocksdb::IOStatus::IOError("input/output error (injected)");
    }

    mutable std::mutex lock_;  // the store writes from threads of its own
    fault what_ = fault::none;
    std::uint64_t at_ = 0;
    std::uint64_t operations_ = 0;
    std::map<std::string, file> files_;
};

}  // namespace pulsewire::testing
