package Bench::System::Node;

# Copyright (C) The ngx_registry_module authors

# This registry, by conf-examples/node.conf and conf/ as they are shipped, in
# an nginx.conf like Debian's.

###############################################################################

use warnings;
use strict;

use parent -norequire, 'Bench::System';

use File::Path qw/ remove_tree /;
use File::Temp ();

use Test::Registry;
use Test::Registry::Util qw/ root_dir read_file write_file run_command /;

###############################################################################

# s3; workers; address, port; wrap: a command that runs it; push: it takes
# pushes; disk: the caches are in the build directory, not in memory; sync: on
# a file system of their own, each write of which waits for the disk; uncached:
# blobs are not cached; conf => [ pattern => replacement ] in the include files

sub start {
    my ($class, %opt) = @_;

    my $self = bless { %opt }, $class;

    my $t = $self->{t} = Test::Registry->new(s3 => $opt{s3},
        workers => $opt{workers} // 2,
        env => { AWS_ENDPOINT_URL_S3 => $opt{s3}->endpoint },
        $opt{wrap} ? (wrap => $opt{wrap}) : (),
        $opt{uncached} ? (edit => { server => sub {
            $_[0] =~ s/proxy_cache registry_s3_blobs;/proxy_cache off;/r
        } }) : (),
        $opt{port} ? (ports => { '' => $opt{port} }) : ());

    my $dir = $t->dir;

    $self->{port} = $t->port;
    $self->cache_on_disk() if $opt{disk} || $opt{sync};
    $self->mount_sync() if $opt{sync};

    my $path = $t->example('node.conf');
    my $text = read_file($path);

    $text =~ s{listen 127\.0\.0\.1:}{listen $opt{address}:} if $opt{address};
    $text =~ s{registry on;}{registry on;
        registry_push on;
        registry_upload_path $dir/uploads;
        client_max_body_size 0;} if $opt{push};

    write_file($path, $text);

    local $ENV{TEST_REGISTRY_LOG} = 'notice';

    $t->conf(<<"CONF")->start();
%%main%%
worker_rlimit_nofile 16384;
events {
    worker_connections 4096;
}
http {
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    sendfile on;
    tcp_nopush on;
    access_log $dir/access.log;
    include $dir/conf.d/*.conf;
}
CONF

    return $self;
}


sub cache_on_disk {
    my ($self) = @_;

    my $cache = $self->{t}->dir . '/cache';

    $self->{disk} = File::Temp->newdir('cache-XXXXXX',
        DIR => root_dir() . '/build');
    chmod 0755, "$self->{disk}";
    rmdir $cache;
    symlink "$self->{disk}", $cache or die "$cache: $!\n";
    return;
}


# In the mount namespace of the run.

sub mount_sync {
    my ($self) = @_;

    my $cache = "$self->{disk}";
    my $image = "$cache.img";

    run("truncate", '-s', '2G', $image);
    run('mkfs.ext4', '-q', $image);
    run('mount', '-o', 'loop,sync', $image, $cache);
    chmod 0755, $cache;

    $self->{mounted} = $cache;
    return;
}


sub run {
    my (@command) = @_;

    my ($status, $output) = run_command(\@command);
    die "@command: $output\n" if $status;
    return;
}


# Master and workers; then the managers of caches, too.

sub pids {
    my ($self) = @_;

    return ($self->{t}{pid}, $self->{t}->workers());
}


sub all_pids {
    my ($self) = @_;

    return ($self->{t}{pid}, $self->{t}->processes());
}


sub stop {
    my ($self) = @_;

    my $dir = $self->{t}->dir;

    $self->{t}->stop();

    # figures of a registry that had faults are figures of something else

    my $log = read_file("$dir/error.log")
        . read_file("$dir/logs/registry.error.log");
    my @bad = $log =~ /^(.*\[(?:error|crit|alert|emerg)\].*)$/mg;

    warn "this registry logged:\n", map { "$_\n" }
        @bad > 5 ? (@bad[0 .. 4], '...') : @bad if @bad;

    remove_tree($dir);

    if ($self->{mounted}) {
        run('umount', $self->{mounted});
        unlink "$self->{mounted}.img";
    }

    delete $self->{disk};
    return;
}

###############################################################################

1;

###############################################################################
