package Test::Registry::S3;

# Copyright (C) The ngx_registry_module authors

# A scripted S3: strict about signatures, exact about lists and ranges, and
# failing when told to.  This is the side of the test; the server is
# Test::Registry::S3::Server, in a process of its own.
#
#     my $s3 = Test::Registry::S3->new();
#     $s3->put('docker/registry/v2/...', $bytes);
#     $s3->fault(key => qr/data$/, times => 1, error => 'SlowDown');
#     is($s3->count(method => 'GET'), 2, 'asked again');

###############################################################################

use warnings;
use strict;

use Digest::MD5 qw/ md5_hex /;
use Digest::SHA;
use Storable qw/ nstore /;

use Test::Registry::S3::Server;
use Test::Registry::Util qw/
    temp_dir free_port write_file append_file read_lines spawn wait_port
    uri_escape uri_unescape wait_for read_file
/;

my $Count = 0;

###############################################################################

# bucket, region, access_key, secret_key, token; domain: of the virtual-host
# style, "bucket.domain"; host and port, where it listens

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        bucket => 'images', region => 'eu-central-1',
        access_key => 'AKIDTESTTESTTESTTEST',
        secret_key => 'a/secret+key/that/nobody/may/see/in/a/log',
        domain => 's3.test', host => '127.0.0.1', port => free_port(),
        dir => temp_dir('s3-' . $Count++), objects => 0, rules => 0,
        %opt
    }, $class;

    $self->{state} = {
        faults => [], clock => 0,
        keys => {
            $self->{access_key} => {
                secret => $self->{secret_key}, token => $self->{token}
            }
        }
    };

    write_file("$self->{dir}/objects", '');
    write_file("$self->{dir}/requests", '');
    $self->save();
    $self->start();

    return $self;
}


sub bucket { $_[0]{bucket} }
sub region { $_[0]{region} }
sub access_key { $_[0]{access_key} }
sub secret_key { $_[0]{secret_key} }
sub token { $_[0]{token} }
sub port { $_[0]{port} }
sub path_style { 'on' }
sub endpoint { "http://$_[0]{host}:$_[0]{port}" }


sub start {
    my ($self) = @_;

    my $server = Test::Registry::S3::Server->new(map { $_ => $self->{$_} }
        qw/ bucket region domain host port dir /);

    $self->{process} = spawn(sub { $server->run() },
        log => "$self->{dir}/log");
    wait_port($self->{port}, undef, $self->{host})
        or die "S3 does not start: @{[ read_lines(qq{$self->{dir}/log}) ]}\n";

    return $self;
}


# From now on connections are refused.

sub stop {
    my ($self) = @_;

    (delete $self->{process})->stop('KILL') if $self->{process};
    return $self;
}

###############################################################################

# Objects.  The server reads the journal before each request.

sub put {
    my ($self, $key, $content, %opt) = @_;

    my $n = $self->{objects}++;
    write_file("$self->{dir}/data/$n", $content);
    $self->journal('put', $key, 'file', $n, length $content,
        $opt{etag} // md5_hex($content));
    return $self;
}


# A large object that nobody stores; returns its sha256 in hex.

sub put_generated {
    my ($self, $key, $size, $seed) = @_;

    $seed //= 'seed';
    $self->journal('put', $key, 'made', $seed, $size, md5_hex("$seed$size"));
    return $self;
}


sub delete {
    my ($self, $key) = @_;

    $self->journal('delete', $key);
    return $self;
}


sub journal {
    my ($self, $op, $key, @rest) = @_;

    append_file("$self->{dir}/objects",
        join("\t", $op, uri_escape($key, '/'), @rest) . "\n");
    return;
}


# What an object holds, whoever has written it; nothing if there is none, or
# nobody stores it.

sub get {
    my ($self, $key) = @_;

    my $file = $self->version($key);
    return defined $file ? read_file("$self->{dir}/data/$file") : undef;
}


# Tells one content of an object from another one.

sub version { my ($self, $key) = @_;
    return $self->index()->{$key};
}


# All keys, also those that a client has written, or those that begin with
# $prefix.

sub keys {
    my ($self, $prefix) = @_;

    my @keys = sort grep { CORE::index($_, $prefix // '') == 0 }
        CORE::keys %{$self->index()};
    return @keys;
}


# The journal as it is now: keys and files.

sub index {
    my ($self) = @_;

    open my $fh, '<', "$self->{dir}/objects" or die "objects: $!\n";
    seek $fh, $self->{read} // 0, 0;

    while (defined(my $line = <$fh>)) {
        last unless $line =~ s/\n$//;
        $self->{read} += length($line) + 1;

        my ($op, $key, $kind, $n) = split /\t/, $line;
        $key = uri_unescape($key);

        if ($op eq 'put') {
            $self->{index}{$key} = $kind eq 'file' ? $n : undef;
        } else {
            delete $self->{index}{$key};
        }
    }

    return $self->{index} //= {};
}


# Content of a generated object, and the digest of the whole.

sub generated_bytes {
    my ($class, $seed, $offset, $length) = @_;
    return Test::Registry::S3::Server::made($seed, $offset, $length);
}


sub generated_sha256 {
    my ($class, $size, $seed) = @_;

    my $sha = Digest::SHA->new(256);
    my $step = 4 << 20;

    for (my $i = 0; $i < $size; $i += $step) {
        $sha->add($class->generated_bytes($seed // 'seed', $i,
            $i + $step < $size ? $step : $size - $i));
    }

    return $sha->hexdigest;
}

###############################################################################

# From now on requests fail that match
#     key, query, range, method   regular expressions, a string for method
# the first "after" of them (0) excepted, "times" of them (all), or each
# "every" th one, with
#     error                   a code of S3, with its usual status; status,
#                             message, extra (elements), headers override
#     status, body, type      any answer; body alone: 200 with this content
#     hang                    no answer at all
#     close                   end of the connection instead of an answer
#     cut_header, cut_body    its end after so many bytes of header or body
#     stall                   silence after so many bytes of the body
#     reset                   the end is a reset
#     length                  so much is added to Content-Length
#     corrupt                 the bit at this offset of the object is wrong
#     latency, rate           seconds before the answer, bytes a second in it
#     chunked, no_length      other framing of the body
#     ignore_range            200 and the whole object
#     headers                 more headers

sub fault {
    my ($self, %fault) = @_;

    $fault{id} = $self->{rules}++;
    $fault{$_} = "$fault{$_}" for grep { defined $fault{$_} }
        qw/ key query range /;

    push @{$self->{state}{faults}}, \%fault;
    $self->save();
    return $self;
}


sub clear_faults {
    my ($self) = @_;

    $self->{state}{faults} = [];
    $self->save();
    return $self;
}


# S3's clock, in seconds ahead of this machine's.

sub clock {
    my ($self, $offset) = @_;

    $self->{state}{clock} = $offset;
    $self->save();
    return $self;
}


# What the bucket and its policy are like:
#     conditional   how PUT with If-None-Match is taken: "honoured" (default),
#                   "ignored", "refused" (501)
#     sse           headers, a hash of names and values, that PutObject and
#                   CreateMultipartUpload must have and others must not
#     payer         whether requests must have x-amz-request-payer

sub policy {
    my ($self, %policy) = @_;

    $self->{state}{policy} = \%policy;
    $self->save();
    return $self;
}


# Multipart uploads that have begun: the keys.

sub uploads {
    my ($self) = @_;

    my @keys = map { read_file($_) } glob "$self->{dir}/uploads/*/key";
    return @keys;
}


# Which keys S3 knows: key($id, secret => ..., token => ..., expired => 1);
# without a secret it is deleted.

sub key {
    my ($self, $id, %key) = @_;

    %key ? ($self->{state}{keys}{$id} = \%key)
        : delete $self->{state}{keys}{$id};
    $self->save();
    return $self;
}


sub save {
    my ($self) = @_;

    nstore($self->{state}, "$self->{dir}/state.new");
    rename "$self->{dir}/state.new", "$self->{dir}/state";
    return;
}

###############################################################################

# Requests so far, in the order of their arrival: hashes of time, connection,
# method, target, path, key, query (hash), headers (hash), range, access_key,
# date, auth (what was wrong with the signature), status, code; and once the
# answer has ended: end (done, aborted, cut), sent (bytes of the body),
# end_time.  A filter: method => 'GET', key => qr/link$/, status => 200

sub requests {
    my ($self, %filter) = @_;

    my (@requests, %by_id);

    for (read_lines("$self->{dir}/requests")) {
        my ($what, $id, $time, @f) = split /\t/, $_, -1;

        if ($what eq 'E') {
            my $r = $by_id{$id} or next;
            @$r{qw/ end sent end_time /} = (@f, $time);
            next;
        }

        my %r = (time => $time);
        @r{qw/ connection method target key auth status code /} =
            map { uri_unescape($_) } @f[0 .. 6];

        for (split /&/, $f[7]) {
            my ($name, $value) = map { uri_unescape($_) } split /=/, $_, 2;
            $r{headers}{$name} = defined $r{headers}{$name}
                ? "$r{headers}{$name}, $value" : $value;
        }

        ($r{path}, my $query) = split /\?/, $r{target}, 2;
        $r{query} = { map { my ($n, $v) = split /=/, $_, 2;
            uri_unescape($n), uri_unescape($v // '') }
            split /&/, $query // '' };
        $r{range} = $r{headers}{range};
        $r{date} = $r{headers}{'x-amz-date'};
        ($r{access_key}) = ($r{headers}{authorization} // '')
            =~ m{Credential=([^/]+)/};

        push @requests, $by_id{$id} = \%r;
    }

    return grep { matches($_, \%filter) } @requests;
}


sub matches {
    my ($request, $filter) = @_;

    for (CORE::keys %$filter) {
        my $value = $request->{$_} // '';
        return 0 if ref $filter->{$_} ? $value !~ $filter->{$_}
            : $value ne $filter->{$_};
    }

    return 1;
}


sub count { my ($self, @filter) = @_;
    return scalar(() = $self->requests(@filter));
}


# Waits for a request, or for $n, that the filter admits.

sub wait_request {
    my ($self, $n, @filter) = @_;
    return wait_for(sub { $self->count(@filter) >= $n });
}


# The requests whose signature or time was wrong.

sub unsigned {
    my ($self) = @_;
    return grep { $_->{auth} } $self->requests();
}


sub forget {
    my ($self) = @_;

    truncate "$self->{dir}/requests", 0;
    return $self;
}

###############################################################################

1;

###############################################################################
