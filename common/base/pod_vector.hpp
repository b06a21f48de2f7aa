#pragma once

// A growing array of trivially copyable values. std::vector's growth, instantiated per type, costs the WebAssembly
// module several hundred bytes each; this is a copy of memory.

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

namespace pulsewire {

template <class T>
class pod_vector {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    pod_vector() = default;
    pod_vector(const pod_vector&) = delete;
    pod_vector& operator=(const pod_vector&) = delete;
    ~pod_vector() { ::operator delete(data_); }

    // References are invalid after the next push_back().
    T& push_back(const T& value) {
        if (size_ == capacity_) grow();
        return *new (data_ + size_++) T(value);
    }
    // Keeps the memory.
    void clear() { size_ = 0; }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    T& back() { return data_[size_ - 1]; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }

private:
    void grow() {
        capacity_ = capacity_ == 0 ? 8 : 2 * capacity_;
        T* larger = static_cast<T*>(::operator new(capacity_ * sizeof(T)));
        if (size_ != 0) std::memcpy(static_cast<void*>(larger), data_, size_ * sizeof(T));
        ::operator delete(data_);
        data_ = larger;
    }

    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace pulsewire
