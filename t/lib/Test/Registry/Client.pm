package Test::Registry::Client;

# Copyright (C) The ngx_registry_module authors

# An HTTP/1.1 client that hides nothing: what was sent, what came, and whether
# the answer was whole.
#
#     my $c = Test::Registry::Client->new(port => 8080);
#     my $r = $c->get('/v2/', Accept => 'application/json');
#     is($r->status, 200, 'ping');

###############################################################################

use warnings;
use strict;

use IO::Select;
use Socket qw/
    AF_INET SOCK_STREAM SOL_SOCKET SO_RCVBUF SO_LINGER IPPROTO_TCP TCP_NODELAY
    inet_aton pack_sockaddr_in
/;
use Time::HiRes qw/ sleep time /;

use Test::Registry::Response;
use Test::Registry::Util qw/ run_command temp_dir read_file /;

###############################################################################

# port, address, host (the Host header), timeout (seconds without a byte),
# keepalive (one connection for all requests), tls (whoever the server is)

sub new {
    my ($class, %opt) = @_;

    return bless {
        address => '127.0.0.1', timeout => 30,
        host => "127.0.0.1:$opt{port}", %opt
    }, $class;
}


sub get { my ($self, $target, @headers) = @_;
    return $self->request('GET', $target, headers => \@headers);
}


sub head { my ($self, $target, @headers) = @_;
    return $self->request('HEAD', $target, headers => \@headers);
}


# headers       names and values
# body          sent with Content-Length; chunked => [ pieces ] instead
# raw           the whole request as it goes out
# rate          bytes a second that are read
# abort_after   bytes of the body after which the connection is dropped;
#               with reset, by a reset
# digest        only the digest and the length of the body are kept
# on_data       called with each piece of the body that came

sub request {
    my ($self, $method, $target, %opt) = @_;

    my $fresh = !$self->{socket};
    my $socket = $self->{socket} // $self->connect($opt{rate});
    my $response = Test::Registry::Response->new(method => $method, %opt);

    if (!$socket) {
        $response->fail("connect: $!");
        return $response;
    }

    $self->write_all($socket, $self->format($method, $target, %opt));
    $self->read_response($socket, $response, %opt);

    delete $self->{socket};
    $self->{socket} = $socket
        if $self->{keepalive} && $response->reusable;

    return $response;
}


# Requests that run at the same time, at most $width; each an array of what
# request() takes.  Returns the answers in the order of the requests.

sub parallel {
    my ($self, $requests, $width) = @_;

    my @responses;
    my $select = IO::Select->new();
    my %running;
    my $next = 0;
    $width //= @$requests;

    while (1) {
        while ($next < @$requests && keys %running < $width) {
            my $i = $next++;
            my ($method, $target, %opt) = @{$requests->[$i]};
            my $r = $responses[$i] = Test::Registry::Response->new(
                method => $method, %opt);

            my $socket = $self->connect();
            if (!$socket) {
                $r->fail("connect: $!");
                next;
            }

            $self->write_all($socket, $self->format($method, $target, %opt));
            $running{fileno $socket} = $i;
            $select->add($socket);
        }

        last unless %running;

        my @ready = $select->can_read($self->{timeout});

        if (!@ready) {
            $responses[$_]->fail('timeout') for values %running;
            last;
        }

        for my $socket (@ready) {
            my $r = $responses[$running{fileno $socket}];
            my $n = sysread $socket, my $data, 65536;

            $n ? $r->feed($data) : $r->eof();
            next unless $r->ended;

            $select->remove($socket);
            delete $running{fileno $socket};
            close $socket;
        }
    }

    return @responses;
}


# Requests of several clients that arrive as nearly together as can be: each an
# array of the client and of what request() takes.

sub together {
    my (@requests) = @_;

    my @sockets = map { $_->[0]->connect() // die "connect: $!\n" } @requests;
    my @responses;

    for my $i (0 .. $#requests) {
        my ($client, $method, $target, %opt) = @{$requests[$i]};
        $client->write_all($sockets[$i],
            $client->format($method, $target, %opt));
    }

    for my $i (0 .. $#requests) {
        my ($client, $method, $target, %opt) = @{$requests[$i]};
        my $r = Test::Registry::Response->new(method => $method, %opt);
        $client->read_response($sockets[$i], $r, %opt);
        push @responses, $r;
    }

    return @responses;
}


# The same request over HTTP/2, by curl with prior knowledge.

sub http2 {
    my ($self, $target, @headers) = @_;

    my $base = temp_dir() . '/http2.' . int(rand(1e9));
    my @options;

    while (my ($name, $value) = splice @headers, 0, 2) {
        push @options, '-H', "$name: $value";
    }

    my ($status, $output) = run_command(['curl', '-sS', '-D', "$base.head",
        '-o', "$base.body", '--http2-prior-knowledge', @options,
        "http://$self->{address}:$self->{port}$target"]);

    my $r = Test::Registry::Response->new(method => 'GET');
    my $head = read_file("$base.head") =~ s/\r?\n\r?\n.*//sr;

    $r->set($head, read_file("$base.body"), $status == 0 ? undef : $output);
    unlink "$base.head", "$base.body";
    return $r;
}

###############################################################################

sub connect {
    my ($self, $slow) = @_;

    socket(my $socket, AF_INET, SOCK_STREAM, 0) or return;

    # a slow reader must not have megabytes waiting for it
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 16384 if $slow;
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;

    CORE::connect($socket, pack_sockaddr_in($self->{port},
        inet_aton($self->{address}))) or return;

    binmode $socket;
    return $self->{tls} ? start_tls($socket) : $socket;
}


sub start_tls {
    my ($socket) = @_;

    require IO::Socket::SSL;

    return IO::Socket::SSL->start_SSL($socket,
        SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE());
}


sub close {
    my ($self) = @_;

    my $socket = delete $self->{socket} or return;
    CORE::close($socket);
    return;
}


sub format {
    my ($self, $method, $target, %opt) = @_;

    return $opt{raw} if defined $opt{raw};

    my @headers = @{$opt{headers} // []};
    my $text = '';
    my %seen;

    while (my ($name, $value) = splice @headers, 0, 2) {
        $seen{lc $name} = 1;
        $text .= "$name: $value\r\n" if defined $value;
    }

    $text = "Host: $self->{host}\r\n$text" unless $seen{host};
    $text .= "Connection: close\r\n"
        unless $seen{connection} || $self->{keepalive};

    my $body = $opt{body} // '';

    if ($opt{chunked}) {
        $text .= "Transfer-Encoding: chunked\r\n";
        $body = join '', map { sprintf("%x\r\n", length) . "$_\r\n" }
            grep { length } @{$opt{chunked}};
        $body .= "0\r\n\r\n";

    } elsif (defined $opt{body} && !$seen{'content-length'}) {
        $text .= 'Content-Length: ' . length($body) . "\r\n";
    }

    return "$method $target HTTP/1.1\r\n$text\r\n$body";
}


# The server may answer and close before it has read everything; what it said
# is read all the same.

sub write_all {
    my ($self, $socket, $data) = @_;

    my $offset = 0;

    while ($offset < length $data) {
        my $n = syswrite $socket, $data, length($data) - $offset, $offset;
        last unless $n;
        $offset += $n;
    }

    return $offset;
}


sub read_response {
    my ($self, $socket, $response, %opt) = @_;

    my $select = IO::Select->new($socket);
    my $begun = time();
    my $step = $opt{rate} ? int($opt{rate} / 20) || 1 : 262144;

    while (!$response->ended) {
        # TLS may have more than the socket

        if (!($self->{tls} && $socket->pending)
            && !$select->can_read($self->{timeout}))
        {
            $response->fail('timeout');
            last;
        }

        my $data;
        my $n = sysread $socket, $data, $step;
        $n ? $response->feed($data) : $response->eof();

        if (defined $opt{abort_after}
            && $response->length >= $opt{abort_after})
        {
            setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'II', 1, 0
                if $opt{reset};
            $response->fail('aborted');
            last;
        }

        if ($opt{rate}) {
            my $ahead = $begun + $response->length / $opt{rate} - time();
            sleep $ahead if $ahead > 0;
        }
    }

    CORE::close($socket) unless $self->{keepalive} && $response->reusable;
    return;
}

###############################################################################

1;

###############################################################################
