using System.ComponentModel.DataAnnotations;
using System.Net;

namespace RpOrleans.Grains.Settings;

/// <summary>Where the members of a cluster find each other.</summary>
public enum Clustering
{
    /// <summary>Gateway and node in one process, and no others.</summary>
    Embedded,

    /// <summary>Nodes and gateways as processes of their own, which meet in a membership table in Redis.</summary>
    Redis,
}

/// <summary>How nodes and gateways form a cluster.</summary>
public sealed class ClusteringOptions
{
    /// <summary>One process, or many. Default: <c>embedded</c>.</summary>
    [Setting("CLUSTERING")]
    public Clustering Clustering { get; set; } = Clustering.Embedded;

    /// <summary>The Redis that holds the membership table, <c>host:port</c>; never the one that is cached. Default: none.</summary>
    [Setting("MEMBERSHIP_REDIS"), RegularExpression(@"(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}", ErrorMessage = "host:port")]
    public string? MembershipRedis { get; set; }

    /// <summary>Its password; never printed. Default: none.</summary>
    [Setting("MEMBERSHIP_REDIS_PASSWORD", Secret = true)]
    public string? MembershipRedisPassword { get; set; }

    /// <summary>Nodes and gateways of one id form one cluster. Default: <c>rporleans</c>.</summary>
    [Setting("CLUSTER_ID"), RegularExpression(@"[\w.-]{1,64}", ErrorMessage = "1 to 64 letters, digits, '.', '_' or '-'")]
    public string ClusterId { get; set; } = "rporleans";

    /// <summary>The port on which other silos reach this one. Default: the next free one from 11111.</summary>
    [Setting("SILO_PORT"), Range(1, 65535)]
    public int? SiloPort { get; set; }

    /// <summary>The port on which gateways reach this silo. Default: the next free one from 30000.</summary>
    [Setting("SILO_GATEWAY_PORT"), Range(1, 65535)]
    public int? SiloGatewayPort { get; set; }

    /// <summary>The address under which this silo is reached. Default: this machine's own, loopback where it has no other.</summary>
    [Setting("ADVERTISED_IP")]
    public IPAddress? AdvertisedIp { get; set; }
}
