#pragma once

// A growing array of values that may be moved by copying their bytes: numbers, slices, text_buffer, and every
// other type that holds no pointer into itself. The growth of std::vector is instantiated for each type and
// costs several hundred bytes of the WebAssembly module each time; here it is a copy of memory.

#include <cstddef>
#include <cstring>
#include <new>

namespace pulsewire {
namespace detail {

// Moves the first `used` bytes of `data` into new memory for twice the elements and frees the old. One
// function serves all types, because in the client the size of the code counts more than its time.
void* with_twice_the_room(void* data, std::size_t used, std::size_t& capacity, std::size_t element_bytes);

}  // namespace detail

template <class T>
class relocating_vector {
public:
    relocating_vector() = default;
    relocating_vector(const relocating_vector&) = delete;
    relocating_vector& operator=(const relocating_vector&) = delete;
    ~relocating_vector() {
        clear();
        ::operator delete(data_);
    }

    // Adds a default-constructed value at the end. The next add() invalidates all references.
    T& add() {
        if (size_ == capacity_) grow();
        return *new (data_ + size_++) T();
    }
    // Keeps the memory.
    void clear() {
        for (T& each : *this) each.~T();
        size_ = 0;
    }
    // Replaces the value at `i` by a default-constructed one.
    void renew(std::size_t i) {
        data_[i].~T();
        new (data_ + i) T();
    }
    // Removes the values for which `unwanted` is true; the others keep their order.
    template <class Unwanted>
    void remove_if(Unwanted unwanted) {
        std::size_t kept = 0;
        for (T& each : *this) {
            if (unwanted(each)) {
                each.~T();
            } else {
                std::memmove(static_cast<void*>(data_ + kept++), static_cast<void*>(&each), sizeof(T));
            }
        }
        size_ = kept;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }

private:
    void grow() {
        data_ = static_cast<T*>(detail::with_twice_the_room(data_, size_ * sizeof(T), capacity_, sizeof(T)));
    }

    T* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace pulsewire
