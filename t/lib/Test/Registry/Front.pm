package Test::Registry::Front;

# Copyright (C) The ngx_registry_module authors

# An nginx between a registry and the S3 server, which counts requests and
# bytes.  It has several ports; each limits the rate of a connection, or not.
#
# nginx's own limit_rate counts whole seconds and grants the first one at once,
# which lets anything below 50 MB pass unlimited.  So the kernel does it: the
# listening sockets are opened here, with a pacing rate that every connection
# they accept inherits, and given to nginx as an upgrade would.

###############################################################################

use warnings;
use strict;

use Fcntl qw/ F_SETFD /;
use File::Copy qw/ copy /;
use IO::Socket::INET;
use Socket qw/ SOL_SOCKET /;

use Test::Registry qw/ nginx_binary /;
use Test::Registry::Util qw/
    temp_dir free_port spawn wait_port wait_for write_file read_file clean_env
/;

use Test::Registry::Endpoint;

use constant SO_MAX_PACING_RATE => 47;

my $Count = 0;

###############################################################################

# rates => { name => bytes a second for each connection, 0: any }; address;
# slow_down: requests a second, above which the answer is 503 SlowDown, counted
# in spans of a 25th of a second;
# cache: answers are kept, so that S3 costs hardly any CPU

sub new {
    my ($class, $s3, %opt) = @_;

    my $self = bless {
        s3 => $s3, address => $opt{address} // '127.0.0.1',
        dir => temp_dir('front-' . $Count++), seen => 0,
        slow_down => $opt{slow_down}, cache => $opt{cache}
    }, $class;

    my (@listeners, @names);

    for my $name (sort keys %{$opt{rates}}) {
        my $port = free_port();

        push @names, $name;
        push @listeners, $self->listener($port, $opt{rates}{$name});
        $self->{ports}{$name} = $port;
    }

    $self->conf();

    # a binary of its own, so that the memory of a registry is not made small
    # by the pages that this nginx shares with it

    copy(nginx_binary(), "$self->{dir}/nginx") or die "nginx: $!\n";
    chmod 0755, "$self->{dir}/nginx";

    fcntl $_, F_SETFD, 0 for @listeners;

    $self->{process} = spawn(["$self->{dir}/nginx", '-p', "$self->{dir}/",
        '-c', "$self->{dir}/nginx.conf", '-e', "$self->{dir}/error.log"],
        log => "$self->{dir}/log",
        env => clean_env(NGINX => join '', map { fileno($_) . ';' }
            @listeners));

    # nginx has them now; a connection that came before it waits

    wait_for(sub { -s "$self->{dir}/nginx.pid" })
        or die 'the front does not start: ' . read_file("$self->{dir}/log");
    close $_ for @listeners;

    return $self;
}


sub listener {
    my ($self, $port, $rate) = @_;

    # nginx takes an inherited socket as it is: it must not block

    my $listener = IO::Socket::INET->new(Proto => 'tcp', Listen => 511,
        LocalAddr => $self->{address}, LocalPort => $port, ReuseAddr => 1,
        Blocking => 0) or die "front: $!\n";

    if ($rate) {
        setsockopt $listener, SOL_SOCKET, SO_MAX_PACING_RATE, pack('Q', $rate)
            or die "SO_MAX_PACING_RATE: $!\n";
    }

    return $listener;
}


sub conf {
    my ($self) = @_;

    my $dir = $self->{dir};
    my $listen = join "\n        ", map { "listen $self->{address}:$_;" }
        sort { $a <=> $b } values %{$self->{ports}};
    my ($zone, $limit) = ('', '');

    if ($self->{slow_down}) {
        my $burst = int $self->{slow_down} / 25;

        $zone = "limit_req_zone \$server_name zone=all:64k "
            . "rate=$self->{slow_down}r/s;";
        $limit = "limit_req zone=all burst=$burst nodelay;\n"
            . "            limit_req_status 503;\n"
            . '            error_page 503 = @slow;';
    }

    my ($path, $cache) = ('', '');

    if ($self->{cache}) {
        $path = "proxy_cache_path $dir/cache levels=1:2 keys_zone=s3:1m "
            . 'inactive=1d use_temp_path=off;';
        $cache = "proxy_cache s3;\n"
            . "            proxy_cache_key \$request_uri/\$http_range;\n"
            . "            proxy_cache_valid 200 206 1d;\n"
            . "            proxy_cache_lock on;\n"
            . '            proxy_set_header Range $http_range;';
    }

    mkdir "$dir/temp";
    write_file("$dir/nginx.conf", <<"CONF");
daemon off;
@{[ $> == 0 ? 'user root;' : '' ]}
pid $dir/nginx.pid;
worker_processes 2;
worker_rlimit_nofile 16384;
events {
    worker_connections 8192;
}
http {
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    log_format count '\$server_port \$request_method \$status '
                     '\$body_bytes_sent \$request_length \$request_uri';
    access_log $dir/access.log count;
    sendfile on;
    $zone
    $path

    upstream s3 {
        server 127.0.0.1:@{[ $self->{s3}->port ]};
        keepalive 256;
    }

    server {
        $listen
        server_name front;
        keepalive_requests 1000000;
        client_max_body_size 0;

        location / {
            $limit
            $cache
            proxy_pass http://s3;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Host \$http_host;
            proxy_set_header Connection "";
            proxy_buffers 16 64k;
            proxy_busy_buffers_size 256k;
            proxy_max_temp_file_size 0;
        }

        location \@slow {
            internal;
            default_type application/xml;
            return 503 '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message><RequestId>FRONT</RequestId></Error>';
        }
    }
}
CONF
    return;
}


# The S3 that is behind the port of that name.

sub endpoint {
    my ($self, $name) = @_;

    return Test::Registry::Endpoint->new($self->{s3},
        "http://$self->{address}:$self->{ports}{$name}");
}


sub stop { (delete $_[0]{process})->stop('TERM') }

###############################################################################

# Requests since the last forget(): hashes of method, status, bytes that were
# sent in the body of the answer, received with the request, target.

sub requests {
    my ($self) = @_;

    # a line is written after the answer

    my $log = '';
    wait_for(sub {
        my $before = $log;
        $log = read_file("$self->{dir}/access.log");
        select undef, undef, undef, 0.1;
        return $log eq $before;
    }, 5);

    return map {
        my (undef, $method, $status, $bytes, $received, $target) = split / /;
        { method => $method, status => $status, bytes => $bytes,
            received => $received, target => $target }
    } split /\n/, substr $log, $self->{seen};
}


sub forget {
    my ($self) = @_;

    $self->requests();
    $self->{seen} = -s "$self->{dir}/access.log" // 0;
    return $self;
}

###############################################################################

1;

###############################################################################
