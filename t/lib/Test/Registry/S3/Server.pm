package Test::Registry::S3::Server;

# Copyright (C) The ngx_registry_module authors

# The process of Test::Registry::S3: one child for each connection, state in
# files, so that the test and all children see the same.

###############################################################################

use warnings;
use strict;

use Digest::MD5 qw/ md5_hex /;
use Digest::SHA qw/ sha256_hex /;
use Fcntl qw/ :flock O_WRONLY O_APPEND O_CREAT O_RDWR SEEK_SET /;
use IO::Socket::INET;
use MIME::Base64 qw/ encode_base64 decode_base64 /;
use POSIX qw/ strftime _exit /;
use Socket qw/ SOL_SOCKET SO_LINGER TCP_NODELAY IPPROTO_TCP MSG_PEEK /;
use Storable qw/ retrieve /;
use Time::HiRes qw/ sleep time /;

use Test::Registry::S3::Errors;
use Test::Registry::SigV4;
use Test::Registry::Util qw/ uri_escape uri_unescape read_file write_file /;

use constant BLOCK => 65536;

###############################################################################

sub new {
    my ($class, %opt) = @_;
    return bless { %opt, objects => {}, read => 0, state_id => '' }, $class;
}


sub run {
    my ($self) = @_;

    my $listener = IO::Socket::INET->new(Proto => 'tcp', Listen => 128,
        LocalAddr => $self->{host}, LocalPort => $self->{port}, ReuseAddr => 1)
        or die "listen: $!\n";

    $SIG{CHLD} = 'IGNORE';
    $SIG{PIPE} = 'IGNORE';
    $0 = 'scripted S3';

    while (1) {
        my $client = $listener->accept() or next;
        $self->{connection}++;
        $self->refresh();

        my $pid = fork() // next;

        if ($pid == 0) {
            close $listener;
            eval { $self->serve($client); 1 } or print STDERR $@;
            _exit(0);
        }
    }
}


sub serve {
    my ($self, $client) = @_;

    setsockopt $client, IPPROTO_TCP, TCP_NODELAY, 1;
    srand;

    $self->{client} = $client;
    $self->{buffer} = '';
    $self->{keepalive} = 1;

    while ($self->{keepalive} && $self->read_request()) {
        $self->refresh();
        $self->answer();
    }

    return;
}


sub read_request {
    my ($self) = @_;

    while ($self->{buffer} !~ /\r\n\r\n/) {
        return 0 unless sysread $self->{client}, $self->{buffer}, BLOCK,
            length $self->{buffer};
    }

    $self->{buffer} =~ s/^(.*?)\r\n\r\n//s;
    my ($line, @lines) = split /\r\n/, $1;
    my ($method, $target) = split / /, $line;

    my %r = (method => $method, target => $target // '',
        headers => [ map { [ split /:\s*/, $_, 2 ] } @lines ]);

    $r{h} = { map { lc $_->[0] => $_->[1] } @{$r{headers}} };

    my $length = $r{h}{'content-length'} // 0;

    while (length $self->{buffer} < $length) {
        return 0 unless sysread $self->{client}, $self->{buffer}, BLOCK,
            length $self->{buffer};
    }

    $r{body} = substr $self->{buffer}, 0, $length, '';
    $self->{keepalive} = 0 if ($r{h}{connection} // '') =~ /close/i;
    $self->{keepalive} = 0 if $r{h}{'transfer-encoding'};

    # both ways of naming a bucket

    my ($path, $query) = split /\?/, $r{target}, 2;
    my $host = ($r{h}{host} // '') =~ s/:\d+$//r;

    if ($host =~ s/\.\Q$self->{domain}\E$//) {
        $r{bucket} = $host;
        $r{key} = uri_unescape($path =~ s{^/}{}r);
    } else {
        @r{qw/ bucket key /} = map { uri_unescape($_ // '') }
            $path =~ m{^/([^/]*)/?(.*)$}s;
    }

    $r{raw_query} = $query // '';
    $r{query} = { map { my ($n, $v) = split /=/, $_, 2;
        uri_unescape($n), uri_unescape($v // '') } split /&/, $query // '' };

    $self->{request} = \%r;
    return 1;
}

###############################################################################

# What the test has changed since the last request.

sub refresh {
    my ($self) = @_;

    my @s = Time::HiRes::stat("$self->{dir}/state");
    my $id = "@s[1, 9]";

    if ($id ne $self->{state_id}) {
        my $state = eval { retrieve("$self->{dir}/state") };
        @$self{qw/ state state_id /} = ($state, $id) if $state;
    }

    return if (-s "$self->{dir}/objects" // 0) == $self->{read};

    open my $fh, '<', "$self->{dir}/objects" or return;
    seek $fh, $self->{read}, SEEK_SET;

    while (defined(my $line = <$fh>)) {
        last unless $line =~ s/\n$//;
        $self->{read} += length($line) + 1;

        my ($op, $key, @rest) = split /\t/, $line;
        $key = uri_unescape($key);
        delete $self->{sorted};

        if ($op eq 'delete') {
            delete $self->{objects}{$key};
            next;
        }

        my %object;
        @object{qw/ kind arg size etag /} = @rest;
        $self->{objects}{$key} = { %object, etag => qq{"$object{etag}"} };
    }

    return;
}


# The first rule that the request falls under.  The number of requests that
# each rule has seen is common to all connections.

sub find_fault {
    my ($self) = @_;

    my $r = $self->{request};

    for my $fault (@{$self->{state}{faults}}) {
        next if defined $fault->{method} && $fault->{method} ne $r->{method};
        next if defined $fault->{key} && $r->{key} !~ /$fault->{key}/;
        next if defined $fault->{query}
            && $r->{raw_query} !~ /$fault->{query}/;
        next if defined $fault->{range}
            && ($r->{h}{range} // '') !~ /$fault->{range}/;

        my $n = $self->hit($fault->{id}) - ($fault->{after} // 0);
        next if $n <= 0;
        next if defined $fault->{times} && $n > $fault->{times};
        next if defined $fault->{every} && $n % $fault->{every};

        return $fault;
    }

    return {};
}


sub hit {
    my ($self, $id) = @_;

    sysopen my $fh, "$self->{dir}/hits", O_RDWR | O_CREAT or die "hits: $!";
    flock $fh, LOCK_EX;
    sysseek $fh, $id * 4, SEEK_SET;
    sysread $fh, my $packed, 4;

    my $n = (length $packed == 4 ? unpack('N', $packed) : 0) + 1;

    sysseek $fh, $id * 4, SEEK_SET;
    syswrite $fh, pack 'N', $n;
    close $fh;

    return $n;
}

###############################################################################

sub answer {
    my ($self) = @_;

    my $r = $self->{request};
    my $now = time() + $self->{state}{clock};

    $self->{id} = join '', map { sprintf '%X', int rand 16 } 1 .. 16;
    $self->{host_id} = encode_base64("host of $self->{id}", '');
    $self->{sent} = 0;

    my @wrong = Test::Registry::SigV4::verify({ %$r,
        body_sha256 => $r->{h}{'transfer-encoding'}
            ? undef : sha256_hex($r->{body}) },
        { region => $self->{region}, keys => $self->{state}{keys},
          time => $now });

    my $fault = $self->find_fault();
    my $answer = defined $fault->{error} || defined $fault->{body}
        || defined $fault->{status} ? $self->scripted($fault)
        : @wrong ? $self->error($wrong[1], status => $wrong[0],
            message => $wrong[2], extra => { @wrong[3 .. $#wrong] })
        : $self->operation($fault);

    my %headers = (
        Date => strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $now),
        Server => 'AmazonS3', 'x-amz-request-id' => $self->{id},
        'x-amz-id-2' => $self->{host_id},
        %{$answer->{headers} // {}}, %{$fault->{headers} // {}}
    );

    $answer->{headers} = \%headers;

    $self->log_line('R', $self->{connection},
        map({ uri_escape($_ // '', '/?&=') } @$r{qw/ method target key /},
            $wrong[1], $answer->{status}, $answer->{code}),
        join '&', map { uri_escape(lc $_->[0]) . '=' . uri_escape($_->[1]) }
            @{$r->{headers}});

    my $end = $self->send_answer($answer, $fault);

    $self->{keepalive} = 0 if $end ne 'done';
    $self->log_line('E', $end, $self->{sent});

    if ($fault->{reset} && $end eq 'cut') {
        setsockopt $self->{client}, SOL_SOCKET, SO_LINGER, pack 'II', 1, 0;
    }

    return;
}


sub log_line {
    my ($self, $what, @fields) = @_;

    sysopen my $fh, "$self->{dir}/requests", O_WRONLY | O_APPEND | O_CREAT;
    syswrite $fh, join("\t", $what, $self->{id}, sprintf('%.6f', time()),
        @fields) . "\n";
    close $fh;
    return;
}


sub error {
    my ($self, $code, %o) = @_;

    my $known = $Test::Registry::S3::Errors::Errors{$code}
        // [ 400, $code ];
    my $status = $o{status} // $known->[0];
    my $message = $o{message} // $known->[1];

    return {
        status => $status, code => $code, chunked => 1,
        headers => { 'Content-Type' => 'application/xml',
            %{$known->[3] // {}} },
        body => Test::Registry::S3::Errors::document($code, $message,
            { %{$known->[2] // {}}, %{$o{extra} // {}} },
            $self->{id}, $self->{host_id})
    };
}


sub scripted {
    my ($self, $fault) = @_;

    return $self->error($fault->{error}, %$fault) if $fault->{error};

    return {
        status => $fault->{status} // 200, code => '',
        headers => { 'Content-Type' => $fault->{type}
            // 'binary/octet-stream' },
        body => $fault->{body} // ''
    };
}


sub operation {
    my ($self, $fault) = @_;

    my $r = $self->{request};

    return $self->error('NoSuchBucket', extra => { BucketName => $r->{bucket}
        }) if $r->{bucket} ne $self->{bucket};

    my $refused = $self->refused_by_policy();
    return $refused if $refused;

    if (defined $r->{query}{uploads} || defined $r->{query}{uploadId}) {
        return $self->multipart();
    }

    if (length $r->{key}) {
        return $self->get_object($fault) if $r->{method} =~ /^(GET|HEAD)$/;
        return $self->put_object() if $r->{method} eq 'PUT';
        return $self->delete_object() if $r->{method} eq 'DELETE';
        return $self->error('MethodNotAllowed');
    }

    return { status => 200, headers => { 'x-amz-bucket-region' =>
        $self->{region} }, body => '' } if $r->{method} eq 'HEAD';

    return $self->error('NotImplemented')
        if $r->{method} ne 'GET' || ($r->{query}{'list-type'} // '') ne '2';

    return $self->list_objects();
}


sub get_object {
    my ($self, $fault) = @_;

    my $r = $self->{request};
    my $object = $self->{objects}{$r->{key}}
        or return $self->error('NoSuchKey', extra => { Key => $r->{key} });

    my %headers = (
        'Last-Modified' => 'Tue, 05 Nov 2024 10:11:12 GMT',
        'ETag' => $object->{etag}, 'Accept-Ranges' => 'bytes',
        'Content-Type' => 'application/octet-stream',
        'x-amz-server-side-encryption' => 'AES256'
    );

    my $match = $r->{h}{'if-match'};
    return $self->error('PreconditionFailed')
        if defined $match && $match ne '*' && $match ne $object->{etag};

    my $none = $r->{h}{'if-none-match'};
    return { status => 304, headers => \%headers }
        if defined $none && ($none eq '*' || $none eq $object->{etag});

    my ($start, $end, $size) = (0, $object->{size}, $object->{size});
    my $status = 200;
    my $range = $fault->{ignore_range} ? '' : $r->{h}{range} // '';

    if ($range =~ /^bytes=(\d*)-(\d*)$/ && "$1$2" ne ''
        && ($1 eq '' || $2 eq '' || $1 <= $2))
    {
        ($start, $end) = $1 eq '' ? ($2 < $size ? $size - $2 : 0, $size)
            : ($1, $2 eq '' || $2 >= $size ? $size : $2 + 1);

        return $self->error('InvalidRange', extra => {
            RangeRequested => $range, ActualObjectSize => $size })
            if $start >= $size;

        $status = 206;
        $headers{'Content-Range'} = "bytes $start-" . ($end - 1) . "/$size";
    }

    return { status => $status, headers => \%headers, object => $object,
        start => $start, end => $end };
}


# Bucket policies, which S3 does not tell of: what they deny is AccessDenied.

sub refused_by_policy {
    my ($self) = @_;

    my $r = $self->{request};
    my $policy = $self->{state}{policy} // {};
    my %sse = %{$policy->{sse} // {}};
    my $creates = $r->{method} eq 'PUT' && !defined $r->{query}{partNumber}
        || $r->{method} eq 'POST' && defined $r->{query}{uploads};

    return $self->error('AccessDenied') if $policy->{payer}
        && ($r->{h}{'x-amz-request-payer'} // '') ne 'requester';

    for my $name (keys %sse) {
        my $value = $r->{h}{$name};

        return $self->error('AccessDenied')
            if $creates && ($value // '') ne $sse{$name};
        return $self->error('InvalidArgument', message => "$name header is "
            . 'not supported for this operation.')
            if !$creates && defined $value;
    }

    return;
}


sub put_object {
    my ($self) = @_;

    my $r = $self->{request};
    return $self->store_object($r->{body}, md5_hex($r->{body}));
}


# Whether it may be created is decided for all connections, one at a time.

sub store_object {
    my ($self, $body, $etag) = @_;

    my $r = $self->{request};
    my $n = "$$." . ++$self->{written};
    my $mode = $self->{state}{policy}{conditional} // 'honoured';
    my $create = ($r->{h}{'if-none-match'} // '') eq '*';

    return $self->error('NotImplemented') if $create && $mode eq 'refused';

    write_file("$self->{dir}/data/$n", $body);

    sysopen my $lock, "$self->{dir}/write.lock", O_RDWR | O_CREAT
        or die "lock: $!";
    flock $lock, LOCK_EX;
    $self->refresh();

    return $self->error('PreconditionFailed', extra => {
        Condition => 'If-None-Match' })
        if $create && $mode eq 'honoured' && $self->{objects}{$r->{key}};

    $self->journal('put', $r->{key}, 'file', $n, length $body, $etag);
    close $lock;

    return { status => 200, headers => { ETag => qq{"$etag"} }, body => '' };
}


# CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipart-
# Upload, ListMultipartUploads: each upload is a folder.

sub multipart {
    my ($self) = @_;

    my $r = $self->{request};
    my %q = %{$r->{query}};

    return $r->{method} eq 'POST' ? $self->create_upload()
        : $self->list_uploads() if defined $q{uploads};

    my $dir = "$self->{dir}/uploads/$q{uploadId}";

    return $self->error('NoSuchUpload')
        if $q{uploadId} !~ /^\w+$/ || read_file("$dir/key") ne $r->{key};

    return $self->complete_upload($dir) if $r->{method} eq 'POST';

    if ($r->{method} eq 'DELETE') {
        unlink glob("$dir/*");
        rmdir $dir;
        return { status => 204, headers => {} };
    }

    return $self->error('MethodNotAllowed') if $r->{method} ne 'PUT';
    return $self->error('InvalidArgument')
        if ($q{partNumber} // '') !~ /^[1-9]\d{0,4}$/
            || $q{partNumber} > 10000;

    write_file("$dir/part.$q{partNumber}", $r->{body});
    return { status => 200, body => '', headers => {
        ETag => '"' . md5_hex($r->{body}) . '"' } };
}


sub create_upload {
    my ($self) = @_;

    my $key = $self->{request}{key};
    my $id = join '', map { ('a' .. 'z')[int rand 26] } 1 .. 32;

    write_file("$self->{dir}/uploads/$id/key", $key);

    return { status => 200, headers => { 'Content-Type' => 'application/xml' },
        body => '<?xml version="1.0" encoding="UTF-8"?>'
            . "<InitiateMultipartUploadResult><Bucket>$self->{bucket}</Bucket>"
            . '<Key>' . Test::Registry::S3::Errors::escape($key)
            . "</Key><UploadId>$id</UploadId>"
            . '</InitiateMultipartUploadResult>' };
}


sub complete_upload {
    my ($self, $dir) = @_;

    my ($body, $md5, $before, $small) = ('', '', 0, 0);

    while ($self->{request}{body} =~ m{<Part>(.*?)</Part>}gs) {
        my $element = $1;
        my ($n) = $element =~ m{<PartNumber>(\d+)</PartNumber>};
        my ($etag) = $element =~ m{<ETag>(?:"|&quot;|&#34;)?(\w+)};

        return $self->error('InvalidPartOrder') if $n <= $before;
        return $self->error('InvalidPart') if !-f "$dir/part.$n";
        return $self->error('EntityTooSmall') if $small;

        my $part = read_file("$dir/part.$n");

        return $self->error('InvalidPart') if md5_hex($part) ne $etag;

        $small = length $part < 5 << 20;
        $before = $n;
        $body .= $part;
        $md5 .= pack 'H*', $etag;
    }

    return $self->error('MalformedXML') if !$before;

    my $etag = md5_hex($md5) . "-$before";
    my $answer = $self->store_object($body, $etag);
    return $answer if $answer->{status} != 200;

    unlink glob("$dir/*");
    rmdir $dir;

    return { %$answer, headers => { 'Content-Type' => 'application/xml' },
        body => '<?xml version="1.0" encoding="UTF-8"?>'
            . "<CompleteMultipartUploadResult><ETag>&quot;$etag&quot;</ETag>"
            . '</CompleteMultipartUploadResult>' };
}


sub list_uploads {
    my ($self) = @_;

    my $prefix = $self->{request}{query}{prefix} // '';

    my $list = join '', map { my ($id) = m{([^/]+)$}; '<Upload><Key>'
        . Test::Registry::S3::Errors::escape(read_file("$_/key"))
        . "</Key><UploadId>$id</UploadId><Initiator><ID>arn</ID></Initiator>"
        . '<Initiated>' . strftime('%Y-%m-%dT%H:%M:%S.000Z',
            gmtime((stat "$_/key")[9])) . '</Initiated></Upload>' }
        grep { index(read_file("$_/key"), $prefix) == 0 }
        glob "$self->{dir}/uploads/*";

    return { status => 200, headers => { 'Content-Type' => 'application/xml' },
        body => '<?xml version="1.0" encoding="UTF-8"?>'
            . '<ListMultipartUploadsResult>' . $list
            . '<IsTruncated>false</IsTruncated>'
            . '</ListMultipartUploadsResult>' };
}


sub delete_object {
    my ($self) = @_;

    $self->journal('delete', $self->{request}{key});
    return { status => 204, headers => {} };
}


sub journal {
    my ($self, $op, $key, @rest) = @_;

    sysopen my $fh, "$self->{dir}/objects", O_WRONLY | O_APPEND;
    syswrite $fh, join("\t", $op, uri_escape($key, '/'), @rest) . "\n";
    close $fh;
    return;
}


# ListObjectsV2, with all that makes its pages hard: common prefixes count,
# start-after drops those that are not behind it, tokens need encoding.

sub list_objects {
    my ($self) = @_;

    my %q = %{$self->{request}{query}};
    my $prefix = $q{prefix} // '';
    my $delimiter = $q{delimiter} // '';
    my $max = $q{'max-keys'} // 1000;
    $max = 1000 if $max !~ /^\d+$/ || $max > 1000;

    my $after = $q{'start-after'} // '';
    $after = substr(decode_base64($q{'continuation-token'}), 3)
        if length($q{'continuation-token'} // '');

    my ($contents, $prefixes, $count, $last, $more) = ('', '', 0, '', 0);
    $self->{sorted} //= [ sort keys %{$self->{objects}} ];

    for my $key (@{$self->{sorted}}) {
        next if index($key, $prefix) != 0;

        my $at = length $delimiter
            ? index($key, $delimiter, length $prefix) : -1;
        my $item = $at >= 0 ? substr($key, 0, $at + length $delimiter) : $key;

        next if $item le $after || $item eq $last;

        if ($count == $max) {
            $more = 1;
            last;
        }

        $count++;
        $last = $item;

        my $object = $self->{objects}{$key};

        $at >= 0 ? ($prefixes .= '<CommonPrefixes><Prefix>'
            . list_key($item, \%q) . '</Prefix></CommonPrefixes>')
            : ($contents .= '<Contents><Key>' . list_key($item, \%q)
            . '</Key><LastModified>2024-11-05T10:11:12.000Z</LastModified>'
            . '<ETag>' . ($object->{etag} =~ s/"/&quot;/gr) . '</ETag><Size>'
            . "$object->{size}</Size><StorageClass>STANDARD</StorageClass>"
            . '</Contents>');
    }

    my $echo = sub { my ($name, $value) = @_;
        return "<$name>$value</$name>" };

    my $body = qq{<?xml version="1.0" encoding="UTF-8"?>\n}
        . '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        . $echo->(Name => $self->{bucket})
        . $echo->(Prefix => list_key($prefix, \%q))
        . (length $delimiter
            ? $echo->(Delimiter => list_key($delimiter, \%q)) : '')
        . (length($q{'encoding-type'} // '') ? $echo->(EncodingType => 'url')
            : '')
        . $echo->(MaxKeys => $max) . $echo->(KeyCount => $count)
        . $echo->(IsTruncated => $more ? 'true' : 'false')
        . ($more ? $echo->(NextContinuationToken =>
            encode_base64("\xff+/$last", '')) : '')
        . $contents . $prefixes . '</ListBucketResult>';

    return { status => 200, body => $body, chunked => 1,
        headers => { 'Content-Type' => 'application/xml',
            'x-amz-bucket-region' => $self->{region} } };
}


sub list_key {
    my ($key, $q) = @_;

    return Test::Registry::S3::Errors::escape($key)
        if ($q->{'encoding-type'} // '') ne 'url';

    return uri_escape($key, '/ *') =~ s/ /+/gr;
}

###############################################################################

sub send_answer {
    my ($self, $answer, $fault) = @_;

    return $self->linger($fault->{latency})
        if $fault->{latency} && !$self->pause($fault->{latency});
    return $self->linger() if $fault->{hang};
    return 'cut' if $fault->{close};

    my $object = $answer->{object};
    my $start = $answer->{start} // 0;
    my $length = $object ? $answer->{end} - $start
        : length($answer->{body} // '');
    my $bodyless = $self->{request}{method} eq 'HEAD'
        || $answer->{status} == 304 || $answer->{status} == 204;

    my $chunked = ($answer->{chunked} || $fault->{chunked}) && !$bodyless
        && !$fault->{length};
    my %headers = %{$answer->{headers}};

    if ($chunked) {
        $headers{'Transfer-Encoding'} = 'chunked';
    } elsif ($fault->{no_length}) {
        $headers{Connection} = 'close';
    } elsif ($answer->{status} !~ /^(204|304)$/ && !($bodyless && !$object)) {
        $headers{'Content-Length'} = $length + ($fault->{length} // 0);
    }

    my $head = "HTTP/1.1 $answer->{status} "
        . ($Test::Registry::S3::Errors::Reasons{$answer->{status}} // 'Other')
        . "\r\n" . join('', map { "$_: $headers{$_}\r\n" } sort keys %headers)
        . "\r\n";

    if (defined $fault->{cut_header}) {
        $self->write_all(substr $head, 0, $fault->{cut_header});
        return 'cut';
    }

    return $self->write_all($head) ? 'done' : 'aborted' if $bodyless;

    my $limit = $fault->{cut_body} // $fault->{stall} // $length;
    $limit = $length if $limit > $length;

    my $data = $head;
    my $step = $fault->{rate} ? int($fault->{rate} / 20) || 1 : 4 * BLOCK;
    my $begun = time();

    while ($self->{sent} < $limit) {
        my $n = $limit - $self->{sent};
        $n = $step if $n > $step;

        my $bytes = $self->content($answer, $start + $self->{sent}, $n,
            $fault);
        $data .= $chunked ? sprintf("%x\r\n", $n) . "$bytes\r\n" : $bytes;

        return 'aborted' unless $self->write_all($data);
        $self->{sent} += $n;
        $data = '';

        if ($fault->{rate}) {
            my $ahead = $begun + $self->{sent} / $fault->{rate} - time();
            return 'aborted' if $ahead > 0 && !$self->pause($ahead);
        }
    }

    return 'aborted' if length $data && !$self->write_all($data);
    return $self->linger() if defined $fault->{stall};
    return 'cut' if defined $fault->{cut_body} || $fault->{no_length};

    # bytes that Content-Length does not announce, or too few of them

    if ($fault->{length}) {
        return 'cut';
    }

    return 'aborted' if $chunked && !$self->write_all("0\r\n\r\n");
    return 'done';
}


sub content {
    my ($self, $answer, $offset, $length, $fault) = @_;

    my $object = $answer->{object};
    my $bytes;

    if (!$object) {
        $bytes = substr $answer->{body}, $offset, $length;

    } elsif ($object->{kind} eq 'made') {
        $bytes = made($object->{arg}, $offset, $length);

    } else {
        open my $fh, '<:raw', "$self->{dir}/data/$object->{arg}"
            or die "object: $!";
        seek $fh, $offset, SEEK_SET;
        read $fh, $bytes, $length;
        close $fh;
    }

    my $at = ($fault->{corrupt} // -1) - $offset;
    substr($bytes, $at, 1) ^= "\x01" if $at >= 0 && $at < $length;

    return $bytes;
}


# Any part of an endless object, cheap, and different at each offset.

my %Filler;

sub made {
    my ($seed, $offset, $length) = @_;

    my $filler = $Filler{$seed} //= substr(
        Test::Registry::Util::random_bytes(BLOCK, $seed), 0, BLOCK - 16);
    my $first = int($offset / BLOCK);
    my $last = int(($offset + $length - 1) / BLOCK);
    my $bytes = join '', map { sprintf('%16d', $_) . $filler } $first .. $last;

    return substr $bytes, $offset - $first * BLOCK, $length;
}


sub write_all {
    my ($self, $data) = @_;

    my $offset = 0;

    while ($offset < length $data) {
        my $n = syswrite $self->{client}, $data, length($data) - $offset,
            $offset;
        return 0 unless $n;
        $offset += $n;
    }

    return 1;
}


# Waits; false as soon as the client has gone.

sub pause {
    my ($self, $seconds) = @_;

    my $end = time() + $seconds;

    while ((my $left = $end - time()) > 0) {
        my $rin = '';
        vec($rin, fileno $self->{client}, 1) = 1;

        if (select $rin, undef, undef, $left) {
            my $peer = recv $self->{client}, my $data, 1, MSG_PEEK;
            return 0 if !defined $peer || $data eq '';
            sleep($left < 0.05 ? $left : 0.05);
        }
    }

    return 1;
}


sub linger {
    my ($self) = @_;

    $self->pause(600);
    return 'aborted';
}

###############################################################################

1;

###############################################################################
