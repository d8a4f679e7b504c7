/*
 * For the QEMU 7.2 of Debian 12 with TCG as a COLO primary: its COLO thread waits for a condition with the big lock in hand that it does not
 * hold, and so takes it for ever. This stands in front of pthread_cond_wait: who does not hold the mutex gets it for a short wait, gives it
 * back, and is told that it was woken, which may happen for no reason anyway.
 *
 * cc -shared -fPIC -O2 -o keep-lock.so keep-lock.c -ldl; LD_PRELOAD=keep-lock.so qemu-system-x86_64 ...
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SHORT_NS = 2000000, SECOND_NS = 1000000000 };

typedef int wait_fn(pthread_cond_t *, pthread_mutex_t *);
typedef int timedwait_fn(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static void *original(const char *name)
{
    return dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
}

static int holds(const pthread_mutex_t *mutex)
{
    static __thread int self;
    if (self == 0)
        self = (int)syscall(SYS_gettid);
    return mutex->__data.__owner == self;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    static wait_fn *wait;
    static timedwait_fn *timedwait;
    struct timespec until;

    if (wait == NULL)
        wait = (wait_fn *)original("pthread_cond_wait");
    if (timedwait == NULL)
        timedwait = (timedwait_fn *)original("pthread_cond_timedwait");
    if (holds(mutex))
        return wait(condition, mutex);

    pthread_mutex_lock(mutex);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += SHORT_NS;
    if (until.tv_nsec >= SECOND_NS) {
        until.tv_nsec -= SECOND_NS;
        until.tv_sec++;
    }
    timedwait(condition, mutex, &until);
    pthread_mutex_unlock(mutex);
    return 0;
}
